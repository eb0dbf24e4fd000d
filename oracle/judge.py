"""The judge: executes a programmable transaction in the Move VM of the PyPI package `sui-sandbox`.

    judge.py MODULES.JSON

One JSON request a line on standard input, one JSON answer a line on standard output. All bytes are base64, all ids full hex.

Request:
  digest, sender, epoch, gas_price
  packages  {id: {module: bytes}}           bytecode with its own address filled in; kept for later requests
  genuine   bool                            what Ed25519 verification answers
  objects   [{id, version, type, bytes, shared, mutable}]   the inputs that are objects
  fields    [{parent, name_type, value_type, name, value}]  dynamic fields that exist before
  inputs    [{"pure": bytes} | {"object": id}]
  commands  [{package, module, function, types, arguments}] an argument is {"input": n} or {"result": [command, value]}
  states    [{id, type, argument}]                          values to report afterwards
  watch     [{id, parent, name_type, value_type, name}]     dynamic fields to report afterwards
Answer:
  notes     [{kind, type, address, bytes}]  what happened, in order; kind is event, transfer, share, freeze, state, field
  created   [id]                            ids as the machine lists them
or, if the transaction failed:
  status, sub_status, command, error        the machine's status code, the abort code with it, and its words
  location  {address, module, function, instruction, function_name}
or {broken} if there is no verdict.
"""

import base64
import json
import os
import re
import sys
import tempfile

# The machine would otherwise rewrite object bytes that look like those of an older protocol version.
os.environ["SUI_DISABLE_VERSION_PATCH"] = "1"
# Ids made without an object count as created: this is how the log comes out (probe/sources/derived_object.move).
os.environ["SUI_ALLOW_PLACEHOLDER_CREATED_IDS"] = "1"

import sui_sandbox  # noqa: E402

KINDS = ("event", "transfer", "share", "freeze", "state", "field")
MAGIC = b"k3slog".hex()
FRAMEWORK = "0x" + "2".rjust(64, "0")
# Native functions, which the machine names by index alone: framework/packages/sui-framework/sources/dynamic_field.move.
NATIVES = {
    ("dynamic_field", 11): "borrow_child_object",
    ("dynamic_field", 12): "borrow_child_object_mut",
    ("dynamic_field", 13): "remove_child_object",
}


class Commands:
    """Commands and inputs of one replay, in the machine's own JSON."""

    def __init__(self):
        self.inputs, self.commands = [], []

    def input(self, value):
        self.inputs.append(value)
        return {"type": "Input", "index": len(self.inputs) - 1}

    def pure(self, data):
        return self.input({"type": "Pure", "bytes": base64.b64encode(data).decode()})

    def call(self, package, module, function, types, arguments):
        self.commands.append({
            "type": "MoveCall", "package": package, "module": module, "function": function,
            "type_arguments": types, "arguments": arguments,
        })
        return {"type": "Result", "index": len(self.commands) - 1}


def execute(request, packages):
    """Replays the transaction with commands before it that build the state, and after it that read the results."""
    run = Commands()
    objects = {o["id"]: o for o in request["objects"]}

    def object_input(given):
        o = objects[given["object"]]
        if o["shared"]:
            return {"type": "SharedObject", "object_id": o["id"], "initial_shared_version": o["version"], "mutable": o["mutable"]}
        kind = "Object" if o["mutable"] else "ImmutableObject"
        return {"type": kind, "object_id": o["id"], "version": o["version"], "digest": "1" * 32}

    inputs = [
        run.pure(base64.b64decode(given["pure"])) if "pure" in given else run.input(object_input(given))
        for given in request["inputs"]
    ]

    def field_arguments(field):
        return [run.pure(bytes.fromhex(field["parent"][2:])), run.pure(base64.b64decode(field["name"]))]

    # A dynamic field of the state before: the framework's own `add`, with the parent's id for its UID.
    for field in request["fields"]:
        run.call(FRAMEWORK, "dynamic_field", "add", [field["name_type"], field["value_type"]],
                 field_arguments(field) + [run.pure(base64.b64decode(field["value"]))])
    first = len(run.commands)

    def argument(given):
        if "input" in given:
            return inputs[given["input"]]
        command, value = given["result"]
        return {"type": "NestedResult", "index": first + command, "result_index": value}

    for c in request["commands"]:
        run.call(c["package"], c["module"], c["function"], c["types"], [argument(a) for a in c["arguments"]])
    last = len(run.commands)

    for state in request["states"]:
        identity = run.pure(bytes.fromhex(state["id"][2:]))
        run.call(FRAMEWORK, "event", "note_state", [state["type"]], [identity, argument(state["argument"])])
    for field in request["watch"]:
        parent, name = field_arguments(field)
        identity = run.pure(bytes.fromhex(field["id"][2:]))
        run.call(FRAMEWORK, "event", "note_field", [field["name_type"], field["value_type"]], [parent, identity, name])
    run.call(FRAMEWORK, "derived_object", "pages", [], [])

    state = {
        "transaction": {
            "digest": request["digest"], "sender": request["sender"], "gas_budget": 50_000_000_000,
            "gas_price": request["gas_price"], "commands": run.commands, "inputs": run.inputs, "effects": None,
            "timestamp_ms": None, "checkpoint": None,
        },
        "objects": {
            o["id"]: {
                "id": o["id"], "version": o["version"], "digest": None, "type_tag": o["type"],
                "bcs_bytes": list(base64.b64decode(o["bytes"])), "is_shared": o["shared"], "is_immutable": not o["mutable"] and not o["shared"],
            } for o in request["objects"]
        },
        "protocol_version": 100, "epoch": request["epoch"],
        "reference_gas_price": request["gas_price"], "checkpoint": None,
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as file:
        file.write(f'{{"packages":{packages[request["genuine"]]},{json.dumps(state)[1:]}')
        file.flush()
        result = sui_sandbox.replay(digest=request["digest"], state_file=file.name, vm_only=True, allow_fallback=False, no_prefetch=True)
    return result, first, last


def packages_text(packages, probe, genuine):
    """The packages in the machine's JSON: those given, and the framework's stand-ins."""
    framework = {name: probe[name] for name in ("event", "transfer", "derived_object", "nitro_attestation")}
    framework["ed25519"] = probe["ed25519_genuine" if genuine else "ed25519_forged"]
    return json.dumps({
        address: {
            "address": address[2:], "version": 1, "linkage": {}, "original_id": None,
            "modules": [[name, list(base64.b64decode(code))] for name, code in modules.items()],
        } for address, modules in {**packages, FRAMEWORK: framework}.items()
    })


def judge(request, packages):
    result, first, last = execute(request, packages)
    effects = result.get("effects") or {}
    if not result.get("local_success"):
        error = result.get("local_error") or effects.get("error")
        failed = effects.get("failed_command_index")
        if failed is None or not first <= failed < last:
            return {"broken": f"command {None if failed is None else failed - first} of {last - first} failed: {error}"}
        return {**read_error(error), "command": failed - first, "error": error}
    created = [normal(i) for i in effects["created"]]
    pages = sorted((i for i in created if i.startswith("0x" + MAGIC)), key=lambda i: int.from_bytes(bytes.fromhex(i[14:18]), "little"))
    return {
        "notes": read_log(bytes.fromhex("".join(i[18:] for i in pages))),
        "created": sorted(i for i in created if i not in pages),
    }


def read_error(error):
    """The fields of a Rust `VMError` in its debug form."""
    status = re.search(r"major_status: (\w+)", error)
    sub_status = re.search(r"sub_status: Some\((\d+)\)", error)
    module = re.search(r"location: Module\(ModuleId { address: ([0-9a-f]+), name: Identifier\(\"(\w+)\"\)", error)
    at = re.search(r"offsets: \[\(FunctionDefinitionIndex\((\d+)\), (\d+)\)", error)
    name = re.search(r"message: Some\(\"0x[0-9a-f]+::\w+::(\w+) at offset", error)
    location = None
    if module and at:
        function = int(at[1])
        location = {
            "address": "0x" + module[1], "module": module[2], "function": function, "instruction": int(at[2]),
            "function_name": name[1] if name else NATIVES.get((module[2], function)),
        }
    return {"status": status[1] if status else "?", "sub_status": int(sub_status[1]) if sub_status else None, "location": location}


def normal(address):
    return "0x" + address[2:].rjust(64, "0")


def read_log(log):
    """BCS: a vector of bytes, which holds notes { kind: u8, type_name: String, address, contents: vector<u8> }."""
    at = 0

    def take(count):
        nonlocal at
        at += count
        if at > len(log):
            raise ValueError("the log is cut off")
        return log[at - count:at]

    def length():
        value = shift = 0
        while True:
            byte = take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    end = length()
    end += at
    notes = []
    while at < end:
        kind = KINDS[take(1)[0]]
        type_name = take(length()).decode()
        address = "0x" + take(32).hex()
        notes.append({"kind": kind, "type": type_name, "address": address, "bytes": base64.b64encode(take(length())).decode()})
    return notes


def main():
    with open(sys.argv[1]) as file:
        probe = json.load(file)
    packages, texts = {}, {}
    for line in sys.stdin:
        try:
            request = json.loads(line)
            if request["packages"] or not texts:
                packages.update(request["packages"])
                texts = {genuine: packages_text(packages, probe, genuine) for genuine in (True, False)}
            answer = judge(request, texts)
        except Exception as error:  # the harness reports it with the case's name
            answer = {"broken": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

//! The judge: `judge.py` in a process of its own, asked and answering in lines of JSON.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sui_sdk_types::ObjectData;

use crate::world::World;

/// Where judges come from.
pub(crate) struct Judges<'a> {
    /// Python that has the package `sui-sandbox`.
    pub(crate) python: &'a Path,
    /// The folder of `judge.py`.
    pub(crate) home: &'a Path,
}

/// A running judge.
pub(crate) struct Judge {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Packages to send with the next request.
    packages: BTreeMap<String, BTreeMap<String, String>>,
}

/// What the judge executes (`judge.py` explains the fields).
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Request {
    pub(crate) digest: String,
    pub(crate) sender: String,
    pub(crate) epoch: u64,
    pub(crate) gas_price: u64,
    /// Bytecode; the judge keeps it for later requests.
    pub(crate) packages: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) genuine: bool,
    pub(crate) objects: Vec<RequestObject>,
    pub(crate) fields: Vec<RequestField>,
    pub(crate) inputs: Vec<serde_json::Value>,
    pub(crate) commands: Vec<RequestCommand>,
    pub(crate) states: Vec<RequestState>,
    pub(crate) watch: Vec<RequestField>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct RequestObject {
    pub(crate) id: String,
    pub(crate) version: u64,
    #[serde(rename = "type")]
    pub(crate) type_: String,
    pub(crate) bytes: String,
    pub(crate) shared: bool,
    pub(crate) mutable: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct RequestField {
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) name_type: String,
    pub(crate) value_type: String,
    pub(crate) name: String,
    pub(crate) value: String,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct RequestCommand {
    pub(crate) package: String,
    pub(crate) module: String,
    pub(crate) function: String,
    pub(crate) types: Vec<String>,
    pub(crate) arguments: Vec<serde_json::Value>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct RequestState {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) type_: String,
    pub(crate) argument: serde_json::Value,
}

/// What the judge found.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    Success {
        notes: Vec<Note>,
        created: Vec<String>,
    },
    Failure {
        status: String,
        sub_status: Option<u64>,
        location: Option<JudgedLocation>,
        command: Option<u64>,
        error: String,
    },
    /// Not a verdict: the judge could not execute the request.
    Broken {
        broken: String,
    },
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct JudgedLocation {
    pub(crate) address: String,
    pub(crate) module: String,
    /// Index of the function definition.
    pub(crate) function: u16,
    pub(crate) instruction: u16,
    pub(crate) function_name: Option<String>,
}

/// One line of the judge's log.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Note {
    pub(crate) kind: String,
    #[serde(rename = "type")]
    pub(crate) type_: String,
    pub(crate) address: String,
    pub(crate) bytes: String,
}

impl Judges<'_> {
    /// A judge that knows the package under test.
    pub(crate) fn start(&self, world: &World) -> io::Result<Judge> {
        let mut process = Command::new(self.python)
            .arg(self.home.join("judge.py"))
            .arg(self.home.join("probe/modules.json"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(requests), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::Error::other("the judge has no pipes"));
        };
        let mut packages = BTreeMap::new();
        if let ObjectData::Package(stored) = world.expect(&world.package).data() {
            let modules = stored.modules.iter().map(|(name, bytes)| (name.to_string(), STANDARD.encode(bytes)));
            packages.insert(world.package.to_string(), modules.collect());
        }
        Ok(Judge { process, requests, answers: BufReader::new(answers), packages })
    }
}

impl Judge {
    pub(crate) fn ask(&mut self, request: Request) -> io::Result<Answer> {
        let request = Request { packages: std::mem::take(&mut self.packages), ..request };
        let mut line = serde_json::to_vec(&request)?;
        line.push(b'\n');
        self.requests.write_all(&line)?;
        self.requests.flush()?;
        let mut answer = String::new();
        if self.answers.read_line(&mut answer)? == 0 {
            let status = self.process.wait()?;
            return Err(io::Error::other(format!("the judge stopped: {status}")));
        }
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        // It ends by itself when its input ends; this is for one that hangs.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

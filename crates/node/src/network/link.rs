//! The VXLAN device and the kernel's tables about it, by iproute2.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::peers::{Tables, hardware_address};
use super::{BRIDGE, DEVICE, POD_MTU, Settings, Tools, VXLAN_ID, VXLAN_PORT};
use crate::{NodeError, Result, command};

const LIMIT: Duration = Duration::from_secs(5);

/// Lets the kernel pass packets on, and show the packet filter what crosses a bridge: the answer of a pod to its neighbour must go the
/// same way back through a service's translation.
pub(super) async fn forward_packets() -> Result<()> {
    let bridged = Path::new("/proc/sys/net/bridge/bridge-nf-call-iptables");
    if !bridged.exists()
        && let Ok(modprobe) = command::find("modprobe", "kmod")
    {
        // Without the module the file stays away, which is the error below.
        let _ = command::run("loading br_netfilter", &modprobe, &["br_netfilter"], "", LIMIT).await;
    }
    if !bridged.exists() {
        let hint = "the kernel has no br_netfilter (CONFIG_BRIDGE_NETFILTER)".into();
        return Err(NodeError::Lacking { what: "packet filtering on bridges", hint });
    }
    for file in [Path::new("/proc/sys/net/ipv4/ip_forward"), bridged] {
        let set = std::fs::read_to_string(file).is_ok_and(|value| value.trim() == "1");
        if !set {
            std::fs::write(file, "1").map_err(NodeError::file("setting to 1", file))?;
        }
    }
    Ok(())
}

/// Makes the device; one that is there and is the same stays, with the pods' connections through it.
pub(super) async fn make_device(settings: &Settings) -> Result<()> {
    let tools = &settings.tools;
    let hardware = hardware_address(settings.address);
    let shown = ip(tools, "looking for the VXLAN device", &["-j", "-d", "address", "show", "dev", DEVICE]).await;
    let same = shown.as_ref().is_ok_and(|text| is_ours(text, settings));
    let mut batch = Vec::new();
    if !same {
        if shown.is_ok() {
            batch.push(format!("link del {DEVICE}"));
        }
        batch.push(format!(
            "link add {DEVICE} address {hardware} type vxlan id {VXLAN_ID} local {} dstport {VXLAN_PORT} nolearning",
            settings.address
        ));
    }
    batch.push(format!("address replace {}/32 dev {DEVICE}", settings.pod_cidr.network()));
    batch.push(format!("link set {DEVICE} mtu {POD_MTU} up"));
    let batch = batch.join("\n") + "\n";
    ip_batch(tools, "making the VXLAN device", &batch).await
}

/// Whether `ip -j -d address show` tells of a device like the one that would be made, with no address but this node's.
fn is_ours(text: &str, settings: &Settings) -> bool {
    let Ok(Value::Array(links)) = serde_json::from_str(text) else { return false };
    let [link] = links.as_slice() else { return false };
    let data = &link["linkinfo"]["info_data"];
    let addresses = link["addr_info"].as_array().map_or(&[][..], Vec::as_slice);
    let own = settings.pod_cidr.network().to_string();
    let foreign = |address: &Value| address["family"] == "inet" && address["local"] != own;
    link["linkinfo"]["info_kind"] == "vxlan"
        && link["address"] == hardware_address(settings.address)
        && data["id"] == VXLAN_ID
        && data["port"] == VXLAN_PORT
        && data["local"] == settings.address.to_string()
        && data["learning"] == false
        && !addresses.iter().any(foreign)
}

/// The tables as the kernel has them.
pub(super) async fn tables(tools: &Tools) -> Result<Tables> {
    let routes = ip(tools, "reading routes", &["-j", "route", "show", "dev", DEVICE]).await?;
    let neighbours =
        ip(tools, "reading neighbours", &["-j", "neigh", "show", "dev", DEVICE, "nud", "permanent"]).await?;
    let arguments = ["-j", "fdb", "show", "dev", DEVICE];
    let forwarding = command::run("reading the forwarding table", &tools.bridge, &arguments, "", LIMIT).await?;
    Ok(read_tables(&routes, &neighbours, &forwarding))
}

/// Entries that are not of the kind that this crate makes are nobody's business.
fn read_tables(routes: &str, neighbours: &str, forwarding: &str) -> Tables {
    let rows = |text: &str| serde_json::from_str::<Vec<Value>>(text).unwrap_or_default();
    let text = |row: &Value, field: &str| row[field].as_str().map(ToOwned::to_owned);
    let range = |row: &Value| {
        let destination = text(row, "dst")?;
        // iproute2 leaves the prefix of a single address out.
        destination.parse().ok().or_else(|| format!("{destination}/32").parse().ok())
    };
    let neighbour = |row: &Value| Some((text(row, "dst")?.parse().ok()?, text(row, "lladdr")?));
    let forward = |row: &Value| Some((text(row, "mac")?, text(row, "dst")?.parse().ok()?));
    Tables {
        routes: rows(routes).iter().filter(|row| !row["gateway"].is_null()).filter_map(range).collect(),
        neighbours: rows(neighbours).iter().filter_map(neighbour).collect(),
        forwarding: rows(forwarding).iter().filter_map(forward).collect(),
    }
}

/// Brings the kernel's tables in step.
pub(super) async fn apply(tools: &Tools, wanted: &Tables) -> Result<()> {
    let (ip, bridge) = wanted.changes_from(&tables(tools).await?);
    if !bridge.is_empty() {
        let arguments = ["-force", "-batch", "-"];
        command::run("changing the forwarding table", &tools.bridge, &arguments, &bridge, LIMIT).await?;
    }
    if ip.is_empty() { Ok(()) } else { ip_batch(tools, "changing routes and neighbours", &ip).await }
}

/// Removes the devices.
pub(super) async fn remove(tools: &Tools) {
    for device in [DEVICE, BRIDGE] {
        // It may never have been there.
        let _ = ip(tools, "removing a device", &["link", "del", device]).await;
    }
}

async fn ip(tools: &Tools, doing: &str, arguments: &[&str]) -> Result<String> {
    command::run(doing, &tools.ip, arguments, "", LIMIT).await
}

/// Does all lines, whatever becomes of the others.
async fn ip_batch(tools: &Tools, doing: &str, lines: &str) -> Result<()> {
    command::run(doing, &tools.ip, &["-force", "-batch", "-"], lines, LIMIT).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::peers::{Peer, tests::settings};
    use super::*;

    /// As iproute2 6.1 printed it.
    const LINK: &str = r#"[{"ifindex":5,"ifname":"daas.1","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1450,"qdisc":"noqueue","operstate":"UNKNOWN","address":"02:da:ac:1e:00:0b","broadcast":"ff:ff:ff:ff:ff:ff","linkinfo":{"info_kind":"vxlan","info_data":{"id":1,"local":"172.30.0.11","port_range":{"low":0,"high":0},"port":8472,"learning":false,"ttl":0}},"addr_info":[{"family":"inet","local":"10.42.1.0","prefixlen":32,"scope":"global"},{"family":"inet6","local":"fe80::da:acff:fe1e:b","prefixlen":64,"scope":"link"}]}]"#;

    #[test]
    fn only_a_device_of_the_same_make_stays() {
        assert!(is_ours(LINK, &settings()));
        for (from, to) in [
            ("172.30.0.11", "172.30.0.12"),
            ("\"id\":1", "\"id\":2"),
            ("8472", "4789"),
            ("02:da:ac:1e:00:0b", "02:da:ac:1e:00:0c"),
            ("\"learning\":false", "\"learning\":true"),
            ("\"vxlan\"", "\"geneve\""),
            ("10.42.1.0", "10.42.9.0"),
        ] {
            assert!(!is_ours(&LINK.replace(from, to), &settings()), "{from}");
        }
        assert!(!is_ours("", &settings()));
    }

    #[test]
    fn tables_are_read_as_they_were_written() {
        let peer = Peer { range: "10.42.2.0/24".parse().unwrap(), address: [172, 30, 0, 12].into() };
        let routes = r#"[{"dst":"10.42.2.0/24","gateway":"10.42.2.0","flags":["onlink"]},{"dst":"10.42.9.0/24","scope":"link"}]"#;
        let neighbours = r#"[{"dst":"10.42.2.0","lladdr":"02:da:ac:1e:00:0c","state":["PERMANENT"]},{"dst":"fe80::1","lladdr":"x","state":[]}]"#;
        let forwarding = r#"[{"mac":"02:da:ac:1e:00:0c","dst":"172.30.0.12","flags":["self"],"state":"permanent"},{"mac":"33:33:00:00:00:01","flags":["self"]}]"#;
        assert_eq!(read_tables(routes, neighbours, forwarding), Tables::of(&[peer].into()));
        assert_eq!(read_tables("", "[]", "nonsense"), Tables::default());
    }
}

//! Devices, addresses and routes, by `ip` of iproute2.

use std::fs::File;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};

use nix::sched::{CloneFlags, setns};

use crate::{Address, Error, Result};

/// The bridge's name.
pub const BRIDGE: &str = "lan0";
/// The worker's network card.
const CARD: &str = "eth0";

/// Makes the bridge in this namespace.
pub(crate) fn make_bridge(address: Address) -> Result<()> {
    ip(&["link", "set", "lo", "up"])?;
    // Without the spanning tree protocol ports forward at once.
    ip(&["link", "add", BRIDGE, "type", "bridge", "stp_state", "0", "forward_delay", "0"])?;
    ip(&["address", "add", &address.to_string(), "dev", BRIDGE])?;
    ip(&["link", "set", BRIDGE, "up"])
}

/// Puts one end of a cable into the bridge of the LAN that `holder` holds, and the other into the network of `inside`.
pub(crate) fn plug_in(holder: u32, inside: u32) -> Result<()> {
    let gone = |cause| Error::NoLan { pid: holder, cause };
    let lan = File::open(format!("/proc/{holder}/ns/net")).map_err(gone)?;
    let own =
        File::open("/proc/self/ns/net").map_err(|cause| Error::System { doing: "opening this network", cause })?;
    setns(&lan, CloneFlags::CLONE_NEWNET).map_err(|cause| gone(cause.into()))?;
    let cable = format!("veth{inside}");
    let namespace = format!("/proc/{inside}/ns/net");
    let plugged = ip(&["link", "show", BRIDGE])
        .map_err(|error| gone(std::io::Error::other(error.to_string())))
        .and_then(|()| ip(&["link", "add", &cable, "type", "veth", "peer", "name", CARD, "netns", &namespace]))
        .and_then(|()| ip(&["link", "set", &cable, "master", BRIDGE, "up"]));
    setns(&own, CloneFlags::CLONE_NEWNET).map_err(Error::system("returning to this network"))?;
    plugged
}

/// Gives the enclave's loopback device its advertised address.
pub(crate) fn set_up_enclave(address: Option<Address>) -> Result<()> {
    ip(&["link", "set", "lo", "up"])?;
    match address {
        Some(address) => ip(&["address", "add", &address.to_string(), "dev", "lo"]),
        None => Ok(()),
    }
}

/// Gives the worker's card its address and the way out.
pub(crate) fn set_up_worker(address: Address, gateway: Ipv4Addr) -> Result<()> {
    ip(&["link", "set", "lo", "up"])?;
    ip(&["address", "add", &address.to_string(), "dev", CARD])?;
    ip(&["link", "set", CARD, "up"])?;
    ip(&["route", "add", "default", "via", &gateway.to_string()])
}

fn ip(arguments: &[&str]) -> Result<()> {
    let fault = |cause| Error::Network { command: format!("ip {}", arguments.join(" ")), cause };
    let output = Command::new("ip").args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|cause| fault(format!("{cause} (is iproute2 installed?)")))?;
    if output.status.success() { Ok(()) } else { Err(fault(String::from_utf8_lossy(&output.stderr).trim().to_owned())) }
}

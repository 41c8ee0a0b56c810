//! A network namespace with nothing but loopback, in which the ports of the examples are free.

use std::process::Command;

use super::invocation::Invocation;
use super::program::needs_success;

/// Switches the loopback on (`SIOCSIFFLAGS`, `IFF_UP`), which is all that `ip link set lo up` does.
const LOOPBACK_UP: &str = r#"import fcntl, os, socket, struct, sys
with socket.socket() as any: fcntl.ioctl(any, 0x8914, struct.pack("16sh", b"lo", 1))
os.execvp(sys.argv[1], sys.argv[1:])"#;

/// Whether this machine allows a process to have one.
pub(crate) fn needs_network() -> bool {
    let unshare = "unshare -rn";
    needs_success(unshare, Command::new("unshare").args(["-rn", "true"])).is_some()
}

/// Makes this call a command of `sh` on such a network. It takes the call's environment and folder.
pub(crate) fn on_an_own_network<'a>(invocation: Invocation<'a>, command: &str) -> Invocation<'a> {
    invocation.shell(&format!("exec unshare -rn python3 -c '{LOOPBACK_UP}' {command}"))
}

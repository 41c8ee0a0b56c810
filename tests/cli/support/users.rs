//! Calls of the binary as other users.

use std::io::{self, Write as _};
use std::os::unix::fs::lchown;
use std::path::Path;

use super::needs;

/// Users that no machine has.
pub(crate) const ALICE: u32 = 54_321;
pub(crate) const BOB: u32 = 54_322;
pub(crate) const CAROL: u32 = 54_323;
pub(crate) const MALLORY: u32 = 54_399;

/// The user who runs the tests.
pub(crate) fn tester() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether this process may become other users; if not, the test is skipped and says so.
pub(crate) fn needs_users() -> bool {
    if !rustix::process::geteuid().is_root() {
        // Past the test runner, which keeps back what a passing test prints.
        let _ = writeln!(
            io::stderr(),
            "\n*** SKIPPED: this test becomes other users, which needs root ***\n"
        );
        return false;
    }
    needs("setpriv")
}

/// For `Invocation::shell`: makes the call this user's, who is in the group of the same number and in
/// this one. The binary is given as an open file, because its folder may be closed to the user.
pub(crate) fn as_member(user: u32, group: u32) -> String {
    format!(
        "exec 9<\"$1\"; shift; exec setpriv --reuid {user} --regid {user} --groups {group} /proc/self/fd/9 \"$@\""
    )
}

/// As [`as_member`], in no other group.
pub(crate) fn as_user(user: u32) -> String {
    as_member(user, user)
}

/// Gives a file away, or the link itself where it is one.
pub(crate) fn give(path: &Path, user: u32, group: u32) {
    lchown(path, Some(user), Some(group))
        .unwrap_or_else(|error| panic!("can't give {} away: {error}", path.display()));
}

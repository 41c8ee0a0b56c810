//! Libraries to preload (`LD_PRELOAD`): what the system would say, said otherwise. They need a C compiler.

use std::path::PathBuf;
use std::process::Command;

use super::sandbox::Sandbox;

/// A library whose `getaddrinfo` never returns for `hangs.test`.
pub(crate) fn hanging_look_up(sandbox: &Sandbox) -> PathBuf {
    let source = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    while (node && strcmp(node, "hangs.test") == 0) sleep(1000);
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, result);
}
"#;
    library(sandbox, "hang", source)
}

/// A library whose clock of the day is `CLOCK_SHIFT` seconds wrong, and whose other clocks are right.
///
/// `faketime` does the same, but a call that is killed leaves a semaphore behind, and a later call by the same
/// process number does not start.
pub(crate) fn shifted_clock(sandbox: &Sandbox) -> PathBuf {
    let source = r#"
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = (int)syscall(SYS_clock_gettime, clock, now);
    if (!failed && clock == CLOCK_REALTIME) now->tv_sec += atol(getenv("CLOCK_SHIFT"));
    return failed;
}
"#;
    library(sandbox, "clock", source)
}

/// Compiled once in each sandbox.
fn library(sandbox: &Sandbox, name: &str, source: &str) -> PathBuf {
    let library = sandbox.path().join(format!("{name}.so"));
    if library.exists() {
        return library;
    }
    let source = sandbox.write(&format!("{name}.c"), source);
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl");
    assert!(cc.status().expect("cc runs").success(), "the library compiles");
    library
}

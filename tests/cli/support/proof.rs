//! What the proofs share: how long they run, where they can run, random numbers that can be repeated.

use std::io::{self, Write as _};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::process::Process;
use super::sandbox::Sandbox;

/// How often a proof repeats its test: the first number, or the second for `HOOKS_PROOF=long`.
pub(crate) fn scaled(usual: usize, long: usize) -> usize {
    let long_run = std::env::var_os("HOOKS_PROOF").is_some_and(|length| length == "long");
    if long_run { long } else { usual }
}

/// Whether this process may mount file systems; if not, the test is skipped and says so.
pub(crate) fn needs_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        // Written directly, because the test runner hides what a passing test prints.
        let _ = writeln!(
            io::stderr(),
            "\n*** SKIPPED: this test mounts a file system, which needs root ***\n"
        );
    }
    root
}

/// Random numbers that are the same for the same seed, which `HOOKS_PROOF_SEED` sets.
pub(crate) struct Rng(u64);

impl Rng {
    /// The seed is part of every message of a proof that fails.
    pub(crate) fn new() -> (Self, u64) {
        let given = std::env::var("HOOKS_PROOF_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            now.map_or(1, |now| u64::from(now.subsec_nanos()))
        });
        (Self::of(seed), seed)
    }

    pub(crate) fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below this one (xorshift64*).
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap_or(0) % limit.max(1)
    }

    /// A random duration up to this one.
    pub(crate) fn moment(&mut self, within: Duration) -> Duration {
        let share = f64::from(u32::try_from(self.below(1 << 20)).unwrap_or(0)) / f64::from(1 << 20);
        within.mul_f64(share)
    }
}

/// The most memory that a process held until it ended, in KiB.
pub(crate) fn peak_memory(running: &mut Process) -> u64 {
    let status = format!("/proc/{}/status", running.child.id());
    let mut peak = 0;
    while running.is_running() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse().ok());
        // The kernel keeps the peak, so a pause can miss only the last moment. It is no maximum of what is read here:
        // for a moment after its start a process may still be seen with the memory of the one that started it.
        peak = kib.unwrap_or(peak);
        thread::sleep(Duration::from_micros(500));
    }
    peak
}

/// The figures of a run, for those who ask for them with `--nocapture`.
pub(crate) fn figures(text: &str) {
    #[expect(clippy::print_stderr, reason = "shown by the test runner")]
    {
        eprintln!("{text}");
    }
}

/// Sends what was killed before it was delivered, until nothing is pending.
pub(crate) fn complete(sandbox: &Sandbox) {
    let until = Instant::now() + Duration::from_secs(30);
    while sandbox.log().iter().any(|line| line["state"] == "pending") {
        assert!(Instant::now() < until, "pending for ever");
        // Nothing announces that a deadline has passed.
        thread::sleep(Duration::from_millis(100));
    }
    let redelivered = sandbox.hooks(["redeliver", "--failed", "--now"]).run();
    redelivered.assert_code(0);
}

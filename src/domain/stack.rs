//! A stack for the template engine, which walks what it has parsed by recursion.

use std::thread;

/// A byte of source can open one level at most, as each operator of `1+1+1…` does, and a level needs less
/// than 1 KiB: 64 KiB of these overflow an ordinary stack.
const PER_BYTE: usize = 4 * 1024;
const BASE: usize = 2 * 1024 * 1024;

/// The stack, in bytes, that a source of this length may need.
pub(crate) fn size(length: usize) -> usize {
    BASE + PER_BYTE * length
}

/// Does this work on a stack that is deep enough for this source. `None`: the system gives no thread, or
/// the work has panicked.
pub(crate) fn deep_enough_for<T: Send>(source: &str, work: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(size(source.len()));
        worker.spawn_scoped(scope, work).ok()?.join().ok()
    })
}

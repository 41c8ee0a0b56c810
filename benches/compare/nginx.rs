//! Debian's nginx as a receiver, on every address of 127.0.0.0/8 and for nobody else.

use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::receiver::free_port;

/// It ends when this is dropped.
pub(crate) struct Nginx {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Nginx {
    /// Starts it with one worker, which answers 200 at once, and waits until it listens.
    pub(crate) fn start() -> Self {
        let port = free_port();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let configuration = format!(
            "daemon off; pid nginx.pid; error_log error.log; worker_rlimit_nofile 20000;\n\
             events {{ worker_connections 8192; }}\n\
             http {{\n\
             access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;\n\
             uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n\
             server {{ listen {port} backlog=4096; allow 127.0.0.0/8; deny all; return 200 ok; }}\n\
             }}\n"
        );
        fs::write(folder.path().join("nginx.conf"), configuration).expect("the folder is ours");
        let mut process = Command::new("nginx")
            .arg("-p")
            .arg(folder.path())
            .args(["-e", "error.log", "-c", "nginx.conf"])
            .stdin(Stdio::null())
            .spawn()
            .expect("nginx can be started: Debian's nginx-light will do");
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = process.try_wait().expect("nginx can be waited for");
            assert!(ended.is_none(), "nginx has ended: is its port taken?");
            thread::sleep(Duration::from_millis(10));
        }
        Self { process, port, _folder: folder }
    }

    /// The URL of a path that is the same address for all, …
    pub(crate) fn one_host(&self, number: usize) -> String {
        format!("http://127.0.0.1:{}/{number}", self.port)
    }

    /// … and one with an address of its own.
    pub(crate) fn distinct(&self, number: usize) -> String {
        format!("http://{}:{}/{number}", loopback(number), self.port)
    }
}

/// One of 16 million addresses of this machine.
pub(crate) fn loopback(number: usize) -> String {
    format!("127.{}.{}.{}", 1 + number / 62_500, number / 250 % 250, 1 + number % 250)
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its master process ends the worker, too.
        let pid = self.process.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.process.wait();
    }
}

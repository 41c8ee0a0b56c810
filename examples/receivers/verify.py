"""Receives deliveries and verifies them with the official library: pip install standardwebhooks

    HOOKS_SECRET=whsec_... python3 verify.py [PORT]
"""

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["HOOKS_SECRET"])


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        # The bytes as they came: JSON that was parsed and written again has another signature.
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            deployment = webhook.verify(body, dict(self.headers))
        # A header that is no signature at all makes the library raise a ValueError.
        except (WebhookVerificationError, ValueError) as error:
            return self.answer(401, str(error))
        print("deployed:", deployment.get("id"), flush=True)
        # A delivery may come twice, under the same webhook-id. Answer first, and work afterwards.
        self.answer(204)

    def answer(self, status, text=""):
        self.send_response(status)
        if status != 204:
            self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 9000), Receiver)
print(f"listening on http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()

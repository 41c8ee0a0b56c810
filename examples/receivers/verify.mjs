// Receives deliveries and verifies them with the official library: npm install standardwebhooks
//
//     HOOKS_SECRET=whsec_... node verify.mjs [PORT]

import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.HOOKS_SECRET);

const server = createServer(async (request, response) => {
  // The bytes as they came: JSON that was parsed and written again has another signature.
  const body = await buffer(request);
  let deployment;
  try {
    deployment = webhook.verify(body, request.headers);
  } catch (error) {
    response.writeHead(401).end(error.message);
    return;
  }
  console.log("deployed:", deployment.id);
  // A delivery may come twice, under the same webhook-id. Answer first, and work afterwards.
  response.writeHead(204).end();
});

server.listen(Number(process.argv[2] ?? 9000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/`);
});

/** A receiver that reads and forgets, as a process of its own; counts requests and octets. Prints its port, and the counts when its input ends. */
import { createServer } from 'node:http';

let requests = 0;
let octets = 0;
const server = createServer((request, response) => {
  request.on('data', (chunk) => { octets += chunk.length; });
  request.on('end', () => {
    requests += 1;
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '2' }).end('{}');
  });
});
server.listen(0, '127.0.0.1', () => { console.log(JSON.stringify({ port: server.address().port })); });
process.stdin.resume().on('end', () => {
  console.log(JSON.stringify({ requests, octets }));
  process.exit(0);
});

/** The limit of HTTP: node:http alone, which reads the same bodies and gives an answer of the same size. Plain
 * JavaScript: stripping types would cost it memory and time that a limit must not have. */
import { createServer } from 'node:http';

const ANSWER = JSON.stringify({ status: 'ok' });
const READING = JSON.stringify({ reading: 'x'.repeat(400) });

createServer((request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length });
    response.end(ANSWER);
    return;
  }
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    JSON.parse(Buffer.concat(chunks).toString());
    response.writeHead(201, { 'content-type': 'application/json', 'content-length': READING.length });
    response.end(READING);
  });
}).listen(Number(process.env.PORT), process.env.HOST);

// An upstream by faye-websocket: faye_upstream.js MESSAGE COUNT
// Sends MESSAGE with COUNT ids, § in it being the id, on the first connection,
// and closes that at the first answer. Tells what comes, line by line.
'use strict';
const server = require('http').createServer();
const WebSocket = require('faye-websocket');

const [message, count] = process.argv.slice(2);
let links = 0;

server.on('upgrade', (request, socket, head) => {
  const link = new WebSocket(request, socket, head);
  const number = ++links;
  const beat = setInterval(() => link.send('{"type":"heartbeat"}'), 200);
  if (number === 1)
    for (let id = 0; id < +count; id++) link.send(message.replace('§', id));
  link.on('message', (event) => {
    const { type, id } = JSON.parse(event.data);
    if (type === 'heartbeat') return;
    console.log(`answer ${id} on link ${number}`);
    if (number === 1) link.close(1000);
  });
  link.on('close', () => clearInterval(beat));
});
server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));

// An upstream by Node's ws: node_upstream.js MESSAGE [CERTIFICATE]
// Beats, sends MESSAGE to each connection, and tells what comes, line by line.
// $PINGS: so many times, with a Ping behind each. $INSIST: subprotocol and Origin
// without which nobody is let in.
'use strict';
const fs = require('fs');
const { WebSocketServer } = require('ws');

const [message, certificate] = process.argv.slice(2);
const pem = certificate && fs.readFileSync(certificate);
const server = certificate
  ? require('https').createServer({ key: pem, cert: pem })
  : require('http').createServer();
const [protocol, origin] = (process.env.INSIST || '').split(' ');
const insisting = {
  verifyClient: (info) => info.origin === origin &&
    (info.req.headers['sec-websocket-protocol'] || '').split(/, */).includes(protocol),
  handleProtocols: () => protocol,
};
const upstream = new WebSocketServer({ server, ...(protocol && insisting) });

upstream.on('connection', (socket, request) => {
  console.log('headers ' + JSON.stringify(request.headers));
  const beat = setInterval(() => socket.send('{"type":"heartbeat"}'), 200);
  const pings = Number(process.env.PINGS || 0);
  for (let i = 0; i < Math.max(pings, 1); i++) {
    socket.send(message);
    if (pings) socket.ping(String(i));
  }
  socket.on('pong', (data) => console.log('pong ' + data));
  socket.on('message', (data, isBinary) => {
    const text = data.toString();
    console.log((text === '{"type":"heartbeat"}' ? 'beat ' : 'answer ') + text);
    if (isBinary) console.log('binary');
  });
  socket.on('close', (code) => {
    clearInterval(beat);
    console.log('closed ' + code);
  });
});
server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));

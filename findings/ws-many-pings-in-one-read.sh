#!/bin/sh
# ws 8.23.0 (npm, Node.js): who gets more than 60 Pings in one read destroys the
# connection: no Close frame, no 'error' event, code 1006. Up to 60 each has its
# Pong. ws 8.22.2 answers any number.
#
# Not the rate of Pings counts, but how many are read together before a Pong of
# that read is out (`maxPendingAutoPongs`, 60 unless set; new in 8.23.0). RFC
# 6455, 5.5.3, lets the receiver of many answer the most recent one alone; to
# end the connection is not in it. A peer that sends a Ping behind each of its
# messages, to learn what has arrived, is cut off after any pause in which 61 of
# them gather. The application is still given the messages read behind the 61st
# Ping, on a connection that is gone and has confirmed 60.
#
# Seen (Node.js 20; `messages` are those that the application got):
#   8.22.2, 60 Pings: 60 Pongs, 0 messages, open
#   8.22.2, 61 Pings: 61 Pongs, 0 messages, open
#   8.22.2, 100 messages with a Ping each: 100 Pongs, 100 messages, open
#   8.23.0, 60 Pings: 60 Pongs, 0 messages, open
#   8.23.0, 61 Pings: 60 Pongs, 0 messages, ended, close 1006
#   8.23.0, 100 messages with a Ping each: 60 Pongs, 100 messages, ended, close 1006
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts \
    new@npm:ws@8.23.0 old@npm:ws@8.22.2 >/dev/null

cat > burst.js <<'JS'
const http = require('http');

// A masked frame with an empty payload or a short one.
const frame = (opcode, text = '') =>
  Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | text.length, 0, 0, 0, 0]),
                 Buffer.from(text)]);
const bursts = {
  '60 Pings': Array(60).fill(frame(9)),
  '61 Pings': Array(61).fill(frame(9)),
  '100 messages with a Ping each': Array(100).fill([frame(1, 'x'), frame(9)]).flat(),
};

function run(library, what) {
  return new Promise((done) => {
    let pongs = 0, messages = 0, told = 'open';
    const server = new library.WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (link) => {
      link.on('message', () => messages++);
      link.on('error', (error) => { told = `error ${error.message}`; });
      link.on('close', (code) => { told = `${told}, close ${code}`; });
    });
    server.on('listening', () => {
      const request = http.get({
        port: server.address().port, host: '127.0.0.1',
        headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': 13,
                   'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==' },
      });
      request.on('upgrade', (_, socket) => {
        const end = () => { socket.destroy(); server.close(); setTimeout(() =>
          done(`${pongs} Pongs, ${messages} messages, ${told}`), 50); };
        const timer = setTimeout(end, 500);
        socket.on('data', (data) => { // each Pong of theirs is two bytes
          if (!data.every((byte, at) => byte === (at % 2 ? 0 : 0x8a))) told = 'other frames';
          pongs += data.length / 2;
        });
        socket.on('end', () => { told = told.replace('open', 'ended'); clearTimeout(timer); end(); });
        socket.write(Buffer.concat(bursts[what]));
      });
    });
  });
}

(async () => {
  for (const name of ['old', 'new'])
    for (const what of Object.keys(bursts)) {
      const { version } = require(`./node_modules/${name}/package.json`);
      console.log(`${version}, ${what}: ${(await run(require(name), what)).replace(/^(.*open), close .*/, '$1')}`);
    }
})();
JS
node burst.js > out
cat out
diff - out <<'SEEN'
8.22.2, 60 Pings: 60 Pongs, 0 messages, open
8.22.2, 61 Pings: 61 Pongs, 0 messages, open
8.22.2, 100 messages with a Ping each: 100 Pongs, 100 messages, open
8.23.0, 60 Pings: 60 Pongs, 0 messages, open
8.23.0, 61 Pings: 60 Pongs, 0 messages, ended, close 1006
8.23.0, 100 messages with a Ping each: 60 Pongs, 100 messages, ended, close 1006
SEEN

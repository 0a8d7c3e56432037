#!/bin/sh
# lighttpd 1.4.69 (Debian 12): after a reload (SIGUSR1, which is what its systemd
# unit sends) it serves nobody for 8 to 9 seconds if a single WebSocket connection
# goes through it; new connections wait in the backlog. Then that connection is cut
# without a Close, and all goes on. Without one a reload takes no time.
#
# A graceful restart first waits for what is under way, at most
# server.graceful-shutdown-timeout (8 s unless set), and only then does the one
# process listen again. That is no time for requests; a WebSocket connection never
# ends by itself, so each reload takes the whole of it, for all sites of the server.
# nginx and haproxy serve at once and leave the link to the old process.
# server.feature-flags += ("server.graceful-restart-bg" => "enable") serves at once.
#
# Seen (a link that beats each second; a second one, dialled 0.5 s after the reload):
#   lighttpd without a link: open within 2 s
#   lighttpd with a link: open after 7 to 11 s, the link: 1006
#   lighttpd with a link and graceful-restart-bg: open within 2 s
#   nginx with a link: open within 2 s, the link: open
set -eu
dir=$(mktemp -d)
trap 'kill $(cat "$dir/pids" 2>/dev/null) 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq download 2>/dev/null nginx=1.22.1-9+deb12u11 lighttpd=1.4.69-1 \
    libpcre2-8-0 libnettle8 libxxhash0
for package in *.deb; do dpkg -x "$package" root; done
LD_LIBRARY_PATH=$(dirname "$(find "$dir/root" -name libnettle.so.8)")
export LD_LIBRARY_PATH
npm install --silent --no-audit --no-fund --ignore-scripts ws@8.23.0 >/dev/null

cat > reload.js <<'JS'
const { spawn } = require('child_process');
const { appendFileSync, writeFileSync } = require('fs');
const net = require('net');
const { WebSocket, WebSocketServer } = require('ws');
const root = process.argv[2];
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });
const beat = (link) => {
  const timer = setInterval(() => link.send('beat'), 1000);
  link.on('close', () => clearInterval(timer));
};
const dial = (port) => new Promise((done) => {
  const link = new WebSocket(`ws://127.0.0.1:${port}/`);
  link.on('open', () => done(link));
  link.on('error', () => done(null));
});
const lighttpd = (port, to, more) => [['usr/sbin/lighttpd', '-D', '-m', `${root}/usr/lib/lighttpd`, '-f'],
  `server.document-root = "${process.cwd()}"
server.port = ${port}
server.bind = "127.0.0.1"
server.modules = ("mod_proxy")
server.errorlog = "/dev/null"
${more}
proxy.header = ("upgrade" => "enable")
proxy.server = ("" => (("host" => "127.0.0.1", "port" => ${to})))`, 'SIGUSR1'];
const nginx = (port, to) => [['usr/sbin/nginx', '-p', process.cwd(), '-c'],
  `daemon off; pid nginx.pid; error_log /dev/null; events {}
http { access_log off; client_body_temp_path .; proxy_temp_path .; fastcgi_temp_path .;
  uwsgi_temp_path .; scgi_temp_path .;
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${to};
    proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade; } } }`, 'SIGHUP'];

async function run(name, proxy, hasLink, more = '') {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', beat);
  await new Promise((done) => { server.on('listening', done); });
  const free = net.createServer().listen(0, '127.0.0.1');
  await new Promise((done) => { free.on('listening', done); });
  const { port } = free.address();
  await new Promise((done) => { free.close(done); });
  const [[program, ...args], config, signal] = proxy(port, server.address().port, more);
  writeFileSync(`${process.cwd()}/${port}.conf`, config);
  const child = spawn(`${root}/${program}`, [...args, `${process.cwd()}/${port}.conf`], { stdio: 'ignore' });
  appendFileSync('pids', `${child.pid}\n`);
  let link = null;
  while (!link) { link = await dial(port); await pause(100); }
  let state = 'open';
  link.on('close', (code) => { state = code; });
  if (hasLink) beat(link);
  else { link.close(); await pause(500); }
  child.kill(signal);
  const start = Date.now();
  await pause(500);
  for (let next = null; !next; await pause(100)) next = await dial(port);
  const took = (Date.now() - start) / 1000;
  const when = took < 2 ? 'open within 2 s' : took > 7 && took < 11
    ? 'open after 7 to 11 s' : `open after ${took} s`;
  return `${name}: ${when}${hasLink && !more ? `, the link: ${state}` : ''}`;
}
(async () => {
  const lines = await Promise.all([
    run('lighttpd without a link', lighttpd, false),
    run('lighttpd with a link', lighttpd, true),
    run('lighttpd with a link and graceful-restart-bg', lighttpd, true,
      'server.feature-flags += ("server.graceful-restart-bg" => "enable")'),
    run('nginx with a link', nginx, true),
  ]);
  console.log(lines.join('\n'));
  process.exit();
})();
JS
timeout 60 node reload.js "$dir/root" > out
cat out
diff - out <<'SEEN'
lighttpd without a link: open within 2 s
lighttpd with a link: open after 7 to 11 s, the link: 1006
lighttpd with a link and graceful-restart-bg: open within 2 s
nginx with a link: open within 2 s, the link: open
SEEN

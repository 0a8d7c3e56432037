#!/bin/sh
# tcllib's websocket 1.4.2 (Debian 12, tcllib 1.21+dfsg-1) and ws 8.23.0 (npm,
# Node.js): neither's client can open a connection to the other's server, unless
# it names a subprotocol; each can to its own.
#
# tcllib's client sends a header Sec-WebSocket-Protocol even when it was given no
# subprotocol; it is empty then, which RFC 6455, 11.3.4, does not allow, and ws
# refuses it. Its server takes that header for granted: without
# it ::websocket::test raises an error, although its code goes on to treat an
# empty list of subprotocols as one that fits. So the one fault hides the other
# from whoever tests tcllib with tcllib; any other client is refused by it.
#
# Seen (Tcl 8.6, Node.js 20):
#   no subprotocol: tcllib to tcllib: open
#   no subprotocol: ws to ws: open
#   no subprotocol: ws to tcllib: refused (key "protocols" not known in dictionary)
#   no subprotocol: tcllib to ws: refused (Invalid Sec-WebSocket-Protocol header)
#   subprotocol chat: tcllib to tcllib: open
#   subprotocol chat: ws to ws: open
#   subprotocol chat: ws to tcllib: open
#   subprotocol chat: tcllib to ws: open
set -eu
dir=$(mktemp -d)
trap 'kill $(cat pids 2>/dev/null) 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq download tcllib=1.21+dfsg-1 tcl8.6 libtcl8.6 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
TCLLIBPATH="$dir/root/usr/share/tcltk $dir/root/usr/share/tcltk/tcllib1.21"
LD_LIBRARY_PATH=$(dirname "$(find "$dir/root" -name 'libtcl8.6.so')")
TCL_LIBRARY=$dir/root/usr/share/tcltk/tcl8.6
export TCLLIBPATH LD_LIBRARY_PATH TCL_LIBRARY
tcl=root/usr/bin/tclsh8.6
npm install --silent --no-audit --no-fund --ignore-scripts ws@8.23.0 >/dev/null

cat > server.tcl <<'TCL'
package require websocket
proc nothing {args} {}
${websocket::log}::disable emergency
proc take {sock args} {
    fconfigure $sock -translation crlf
    gets $sock
    set headers {}
    while {[gets $sock line] > 0} {
        regexp {^([^:]+): *(.*)$} $line - name value
        lappend headers $name $value
    }
    if {[catch {websocket::test $::server $sock / $headers} fits]} {
        set file [open refused w]
        puts $file $fits
        close $file
        close $sock
    } elseif {$fits} {
        websocket::upgrade $sock
    }
}
set server [socket -server take -myaddr 127.0.0.1 0]
websocket::server $server
websocket::live $server / nothing
puts [lindex [fconfigure $server -sockname] 2]
flush stdout
vwait forever
TCL
cat > client.tcl <<'TCL'
package require websocket
${websocket::log}::disable emergency
proc told {sock type message} {
    if {$type eq "connect"} {
        puts open
        exit
    }
}
lassign $argv url protocol
websocket::open $url told {*}[expr {$protocol eq "" ? {} : [list -protocol $protocol]}]
after 1000 {puts refused; exit}
vwait forever
TCL
cat > server.js <<'JS'
const { WebSocketServer } = require('ws');
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
server.on('wsClientError', (error, socket) => {
  require('fs').writeFileSync('refused', error.message);
  socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
});
server.on('listening', () => console.log(server.address().port));
JS
cat > client.js <<'JS'
const [url, protocol] = process.argv.slice(2);
const link = new (require('ws'))(url, protocol ? [protocol] : []);
link.on('open', () => { console.log('open'); process.exit(); });
link.on('error', () => { console.log('refused'); process.exit(); });
JS

"$tcl" server.tcl > tcllib.port & echo $! > pids
node server.js > ws.port & echo $! >> pids
for server in tcllib ws; do
    for _ in $(seq 100); do [ -s $server.port ] && break; sleep 0.1; done
done
meet() {
    case $1 in tcllib) run="$tcl client.tcl" ;; ws) run="node client.js" ;; esac
    rm -f refused
    told=$($run "ws://127.0.0.1:$(head -n 1 "$2.port")/" "$3")
    [ ! -s refused ] || told="$told ($(cat refused))"
    case $3 in '') with='no subprotocol' ;; *) with="subprotocol $3" ;; esac
    echo "$with: $1 to $2: $told"
}
for protocol in '' chat; do
    meet tcllib tcllib "$protocol"
    meet ws ws "$protocol"
    meet ws tcllib "$protocol"
    meet tcllib ws "$protocol"
done > out
cat out
diff - out <<'SEEN'
no subprotocol: tcllib to tcllib: open
no subprotocol: ws to ws: open
no subprotocol: ws to tcllib: refused (key "protocols" not known in dictionary)
no subprotocol: tcllib to ws: refused (Invalid Sec-WebSocket-Protocol header)
subprotocol chat: tcllib to tcllib: open
subprotocol chat: ws to ws: open
subprotocol chat: ws to tcllib: open
subprotocol chat: tcllib to ws: open
SEEN

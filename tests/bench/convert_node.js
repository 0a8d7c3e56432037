// The plain solution in Node, to compare with: ws, JSON and decimal.js; no
// ledger, no receipts, no second provider. NODE_PATH has both packages.
//
//     convert_node.js URL RATES.csv [CA_FILE]
"use strict";
const fs = require("fs");
const WebSocket = require("ws");
const Decimal = require("decimal.js");

Decimal.set({ precision: 60, rounding: Decimal.ROUND_HALF_UP, toExpNeg: -40, toExpPos: 40 });

// {day: {currency: rate}}
function readRates(path) {
  const rows = fs.readFileSync(path, "ascii").trim().split("\n").map((line) => line.split(","));
  const days = {};
  for (const row of rows.slice(1)) {
    days[row[0]] = {};
    rows[0].forEach((code, i) => {
      if (i > 0 && code && row[i] && row[i] !== "N/A") days[row[0]][code] = new Decimal(row[i]);
    });
  }
  return days;
}

const [url, ratesFile, caFile] = process.argv.slice(2);
const rates = readRates(ratesFile);
const ws = new WebSocket(url, {
  perMessageDeflate: false,
  ca: caFile && fs.readFileSync(caFile),
});

// The stake's digits are taken from the text: JSON.parse() would round them.
const STAKE = /"stake":([-+.0-9eE]+)/;

ws.on("message", (data) => {
  const text = data.toString();
  const message = JSON.parse(text);
  if (message.type !== "message") return;
  const payload = message.payload;
  const rate = rates[payload.date.slice(0, 10)][payload.currency];
  const euro = new Decimal(STAKE.exec(text)[1]).div(rate).toDecimalPlaces(5);
  payload.currency = "EUR";
  payload.date = new Date().toISOString();
  ws.send(JSON.stringify(message).replace(STAKE, `"stake":${euro}`));
});
ws.on("open", () => {
  const beat = () => ws.readyState === WebSocket.OPEN && ws.send('{"type":"heartbeat"}');
  beat();
  setInterval(beat, 1000);
});
ws.on("close", () => process.exit(0));
ws.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});

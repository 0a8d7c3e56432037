# wsclient/ledger.c
# A request counts as taken before its bytes are there.
/^struct message \*ledger_take(/,/^}/ {
    /memcpy(record->bytes/ { h; d }
    /ledger_room_take/ G
}

# wsclient/ledger_file.c
# The file is said to be longer before there is room at its end.
/^static int grow_by(/,/^}/ {
    /ledger_room_grow(/ { h; d; }
    /room_bytes, file->room.bytes/ { s/file->room.bytes/file->room.bytes + step/; G; }
}

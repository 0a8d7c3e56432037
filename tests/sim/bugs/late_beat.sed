# wsclient/link/peer.c
# The loop is not woken up for a heartbeat.
s/= earlier(peer->next_beat, late);/= late;/

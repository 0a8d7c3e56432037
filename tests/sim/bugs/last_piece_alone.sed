# wsclient/link/inbox.c
# The last piece of a message is taken for all of it.
/^enum inbox_verdict inbox_add(/,/^}/ s/!last || inbox->total > 0 ||/!last ||/

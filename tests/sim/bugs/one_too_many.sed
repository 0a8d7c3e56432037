# wsclient/outbox.c
# A receipt confirms one answer more than it should.
s/message->position > position)/message->position > position + 1)/

# wsclient/pipeline.c
# Of those that wait too long only the first are told so.
/^void pipeline_alarm(/,/^}/ s/^    set_alarm(pipeline);$//

# ratefetcher/providers/web.c
# Who asks for what is being fetched makes a call of its own.
/^bool web_fetch(/,/^}/ s/call = find_call(web, resource);/call = NULL;/

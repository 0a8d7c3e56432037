# ratefetcher/provider.c
# A probe goes to a provider that said to wait, too.
/^bool provider_may_be_probed(/,/^}/ { /wait_asked_for(/d; }

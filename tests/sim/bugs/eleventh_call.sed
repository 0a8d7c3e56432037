# ratefetcher/quota.c
# The minute of the quota is two seconds short.
/^duration quota_wait(/,/^}/ s/second - QUOTA_SECONDS;/second - QUOTA_SECONDS + 2;/

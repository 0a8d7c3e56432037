# supervisor/lifecycle.c
# One that died soon is started again at once, too.
/^static enum lifecycle_action respawn(/,/^}/ s/if (healthy || before == /if (true || before == /

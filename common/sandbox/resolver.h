/* The C library's resolver, made ready for a process that can load nothing. */
#ifndef FXWIRE_COMMON_SANDBOX_RESOLVER_H
#define FXWIRE_COMMON_SANDBOX_RESOLVER_H

/*
 * Loads the modules by which /etc/nsswitch.conf says that hosts are looked for:
 * getaddrinfo() would load them when it first comes to them.
 */
void resolver_load_modules(void);

#endif

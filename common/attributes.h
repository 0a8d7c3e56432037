/* What a declaration promises beyond its types, for the compiler to check. */
#ifndef FXWIRE_COMMON_ATTRIBUTES_H
#define FXWIRE_COMMON_ATTRIBUTES_H

/* The result tells of a failure, or owns something: it is not to be ignored. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* No pointer argument is NULL; or none of those with these numbers, from 1. */
#define NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))
#define NONNULL_ALL  __attribute__((nonnull))

/*
 * A long or seldom way, kept apart so that the usual one beside it does not
 * save and restore registers for it.
 */
#define NOINLINE __attribute__((noinline))

/* Part of each of its few callers, as a call would cost more than it does. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

#endif

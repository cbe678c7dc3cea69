/*
 * The few function attributes of this project, by names that say what they ask of the caller.
 */
#ifndef COMMON_ATTR_H
#define COMMON_ATTR_H

/* The result says whether it worked: ignoring it is a bug. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* Argument `fmt` is a printf format for the arguments from `args` on. */
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#define NO_RETURN __attribute__((noreturn))

#endif

/*
 * The one place where our version stands.
 */
#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

#define INTERLEAVE_VERSION "0.1"

#endif

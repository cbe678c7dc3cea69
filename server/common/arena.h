/*
 * An arena: the memory of one request. Allocation moves a pointer; everything is freed at once
 * when the request ends. The first ARENA_INLINE octets come with the arena and are never given
 * back, so that a small request allocates nothing.
 */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stddef.h>

enum { ARENA_INLINE = 1920 };

struct arena_block;

struct arena {
    size_t used;
    struct arena_block *blocks; /* further memory, newest first */
    _Alignas(16) unsigned char first[ARENA_INLINE];
};

void arena_init(struct arena *a);

/* Forgets all that was allocated and frees the further blocks. */
void arena_reset(struct arena *a);

/* `size` octets, aligned to 16, not zeroed / zeroed. Never NULL: ends the process when memory is
 * out, so bound sizes that a client controls. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_zalloc(struct arena *a, size_t size);

/* A copy with a NUL behind it. */
char *arena_copy(struct arena *a, const char *text, size_t len);

#endif

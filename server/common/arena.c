/*
 * arena: see arena.h. Used by the front end, one per request.
 */
#include "common/arena.h"

#include "common/log.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_OCTETS = 16 * 1024 };

struct arena_block {
    struct arena_block *older;
    size_t size;
    size_t used;
    _Alignas(16) unsigned char data[];
};

void
arena_init(struct arena *a)
{
    a->used = 0;
    a->blocks = NULL;
}

void
arena_reset(struct arena *a)
{
    struct arena_block *block, *older;

    for (block = a->blocks; block != NULL; block = older) {
        older = block->older;
        free(block);
    }
    arena_init(a);
}

void *
arena_alloc(struct arena *a, size_t size)
{
    struct arena_block *block = a->blocks;
    size_t need = (size + 15) & ~(size_t)15;
    void *p;

    if (need < size)
        fatalx("an arena can't grow by %zu octets", size);
    if (block == NULL && ARENA_INLINE - a->used >= need) {
        p = a->first + a->used;
        a->used += need;
        return p;
    }
    if (block == NULL || block->size - block->used < need) {
        size_t room = need > BLOCK_OCTETS ? need : BLOCK_OCTETS;

        block = xmalloc(sizeof(*block) + room);
        block->older = a->blocks;
        block->size = room;
        block->used = 0;
        a->blocks = block;
    }
    p = block->data + block->used;
    block->used += need;
    return p;
}

void *
arena_zalloc(struct arena *a, size_t size)
{
    return memset(arena_alloc(a, size), 0, size);
}

char *
arena_copy(struct arena *a, const char *text, size_t len)
{
    char *copy = arena_alloc(a, len + 1);

    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

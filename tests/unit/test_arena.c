/* links: server/common/arena.c server/common/log.c */
/*
 * The memory of one request: pieces are aligned, stay where they are, never overlap, and all are
 * given back at once.
 */
#include "../lib/suite.h"

#include "common/arena.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { PIECES = 2000 };

static struct arena a;

static void
setup(void)
{
    arena_init(&a);
}

static void
teardown(void)
{
    arena_reset(&a);
}

/* A size for piece i: mostly small, now and then larger than a block. */
static size_t
size_of_piece(unsigned i)
{
    return i % 97 == 0 ? 40000 + i : i % 13 == 0 ? 5000 + i : i % 50;
}

START_TEST(test_pieces_are_aligned_and_never_overlap)
{
    static unsigned char *pieces[PIECES];

    for (unsigned i = 0; i < PIECES; i++) {
        pieces[i] = arena_alloc(&a, size_of_piece(i));
        ck_assert_uint_eq((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)(i & 0xff), size_of_piece(i));
    }
    for (unsigned i = 0; i < PIECES; i++)
        for (size_t j = 0; j < size_of_piece(i); j++)
            if (pieces[i][j] != (i & 0xff))
                ck_abort_msg("piece %u was written over at %zu", i, j);
}
END_TEST

START_TEST(test_a_small_request_takes_no_memory_beside_the_arena)
{
    for (unsigned i = 0; i < ARENA_INLINE / 16; i++) {
        unsigned char *p = arena_alloc(&a, 1 + i % 16);

        ck_assert_uint_ge((uintptr_t)p, (uintptr_t)a.first);
        ck_assert_uint_le((uintptr_t)p + 16, (uintptr_t)a.first + ARENA_INLINE);
    }
    ck_assert_ptr_null(a.blocks);
    memset(arena_alloc(&a, 1), 1, 1);
    ck_assert_ptr_nonnull(a.blocks);
}
END_TEST

START_TEST(test_the_memory_that_comes_with_it_may_be_one_piece)
{
    memset(arena_alloc(&a, ARENA_INLINE), 1, ARENA_INLINE);
    ck_assert_ptr_null(a.blocks);
    arena_reset(&a);
    memset(arena_alloc(&a, ARENA_INLINE + 1), 1, ARENA_INLINE + 1);
    ck_assert_ptr_nonnull(a.blocks);
}
END_TEST

START_TEST(test_after_a_reset_it_begins_anew)
{
    void *first = arena_alloc(&a, 100);

    for (int round = 0; round < 10; round++) {
        memset(arena_alloc(&a, 100000), 1, 100000);
        arena_reset(&a);
        ck_assert_ptr_null(a.blocks);
        ck_assert_ptr_eq(arena_alloc(&a, 100), first);
    }
    arena_reset(&a);
    arena_reset(&a);
}
END_TEST

START_TEST(test_zeroed_memory_is_zero_where_others_have_written_before)
{
    static const unsigned char zeros[ARENA_INLINE];

    memset(arena_alloc(&a, ARENA_INLINE), 0xff, ARENA_INLINE);
    arena_reset(&a);
    ck_assert_mem_eq(arena_zalloc(&a, ARENA_INLINE), zeros, ARENA_INLINE);
}
END_TEST

START_TEST(test_a_copy_is_as_long_as_was_said_and_ends_with_a_nul)
{
    const char octets[] = {'a', '\0', 'b', 'c'};
    char *copy, *empty;

    memset(arena_alloc(&a, ARENA_INLINE), 0xff, ARENA_INLINE);
    arena_reset(&a);
    copy = arena_copy(&a, octets, sizeof(octets));
    ck_assert_mem_eq(copy, "a\0bc", 5);
    empty = arena_copy(&a, NULL, 0);
    ck_assert_str_eq(empty, "");
    ck_assert_ptr_ne(empty, copy);
    ck_assert_str_eq(arena_copy(&a, "0123456789abcdef", 16), "0123456789abcdef");
    ck_assert_mem_eq(copy, "a\0bc", 5);
}
END_TEST

START_TEST(test_memory_that_can_not_be_counted_ends_the_process)
{
    (void)arena_alloc(&a, SIZE_MAX - 3);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("arena");
    TCase *tc = tcase_create("arena");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_pieces_are_aligned_and_never_overlap);
    tcase_add_test(tc, test_a_small_request_takes_no_memory_beside_the_arena);
    tcase_add_test(tc, test_the_memory_that_comes_with_it_may_be_one_piece);
    tcase_add_test(tc, test_after_a_reset_it_begins_anew);
    tcase_add_test(tc, test_zeroed_memory_is_zero_where_others_have_written_before);
    tcase_add_test(tc, test_a_copy_is_as_long_as_was_said_and_ends_with_a_nul);
    tcase_add_test_raise_signal(tc, test_memory_that_can_not_be_counted_ends_the_process, SIGABRT);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}

/* links: server/db/queue.c server/common/log.c build/gen/statements.c */
/*
 * Entries and the lists they stand on: order, deadlines, parameters.
 */
#include "../lib/suite.h"
#include "db/queue.h"

#include <stdio.h>
#include <string.h>

static struct db_entries entries;
static struct db_queue queue, other;

static void
begin(void)
{
    entries_init(&entries);
    queue_init(&queue);
    queue_init(&other);
}

static void
end(void)
{
    entries_fini(&entries);
}

static struct db_entry *
add(uint64_t deadline)
{
    struct db_entry *e = entry_get(&entries);

    e->deadline_ns = deadline;
    queue_append(&queue, e);
    return e;
}

/* ---- order ---- */

START_TEST(test_entries_leave_in_the_order_in_which_they_came)
{
    struct db_entry *e[1000];

    for (unsigned i = 0; i < 1000; i++)
        e[i] = add(i);
    ck_assert_uint_eq(queue.count, 1000);
    for (unsigned i = 0; i < 1000; i++) {
        ck_assert_ptr_eq(queue_first(&queue), e[i]);
        queue_remove(e[i]);
    }
    ck_assert_ptr_null(queue_first(&queue));
    ck_assert_uint_eq(queue.count, 0);
}
END_TEST

START_TEST(test_an_entry_can_leave_from_the_middle_and_stand_elsewhere)
{
    struct db_entry *first = add(1), *middle = add(2), *last = add(3);

    ck_assert_ptr_eq(middle->on, &queue);
    queue_remove(middle);
    ck_assert_ptr_null(middle->on);
    queue_append(&other, middle);
    ck_assert_ptr_eq(middle->on, &other);
    ck_assert_uint_eq(queue.count, 2);
    queue_remove(first);
    ck_assert_ptr_eq(queue_first(&queue), last);
}
END_TEST

START_TEST(test_an_entry_on_two_lists_ends_the_process)
{
    queue_append(&other, add(1));
}
END_TEST

START_TEST(test_memory_of_entries_is_used_again)
{
    struct db_entry *e = entry_get(&entries);

    for (int i = 0; i < 10000; i++) {
        entry_put(&entries, e);
        ck_assert_ptr_eq(entry_get(&entries), e);
    }
}
END_TEST

/* ---- deadlines ---- */

static unsigned told;
static uint64_t told_sum;

static void
take_off(struct db_entry *e, uint64_t now)
{
    ck_assert_uint_le(e->deadline_ns, now);
    told++;
    told_sum += e->deadline_ns;
    queue_remove(e);
    entry_put(&entries, e);
}

static void
silence(struct db_entry *e, uint64_t now)
{
    (void)now;
    told++;
    e->deadline_ns = UINT64_MAX;
}

static void
sweep(uint64_t now, void (*due)(struct db_entry *, uint64_t))
{
    told = 0;
    told_sum = 0;
    queue_sweep(&queue, now, due);
}

START_TEST(test_only_what_is_due_is_told)
{
    for (unsigned i = 1; i <= 100; i++)
        add(i * 10);
    sweep(9, take_off);
    ck_assert_uint_eq(told, 0);
    sweep(250, take_off);
    ck_assert_uint_eq(told, 25);
    ck_assert_uint_eq(queue.count, 75);
    sweep(259, take_off);
    ck_assert_uint_eq(told, 0);
    sweep(260, take_off);
    ck_assert_uint_eq(told_sum, 260);
    sweep(1000, take_off);
    ck_assert_uint_eq(queue.count, 0);
}
END_TEST

START_TEST(test_deadlines_in_any_order_are_found)
{
    for (unsigned i = 0; i < 100; i++)
        add(1 + i * 37 % 100);
    for (unsigned now = 1; now <= 100; now++) {
        sweep(now, take_off);
        ck_assert_uint_eq(told, 1);
        ck_assert_uint_eq(told_sum, now);
    }
}
END_TEST

START_TEST(test_an_earlier_deadline_behind_a_sweep_is_found)
{
    add(100);
    add(200);
    sweep(100, take_off);
    add(150);
    sweep(150, take_off);
    ck_assert_uint_eq(told_sum, 150);
    sweep(200, take_off);
    ck_assert_uint_eq(told_sum, 200);
}
END_TEST

START_TEST(test_an_entry_that_stays_is_told_once_and_hides_nobody)
{
    add(10);
    add(20);
    add(30);
    sweep(10, silence);
    ck_assert_uint_eq(told, 1);
    sweep(25, silence);
    ck_assert_uint_eq(told, 1);
    sweep(30, silence);
    ck_assert_uint_eq(told, 1);
    sweep(UINT64_MAX - 1, silence);
    ck_assert_uint_eq(told, 0);
    ck_assert_uint_eq(queue.count, 3);
    add(40);
    sweep(40, silence);
    ck_assert_uint_eq(told, 1);
}
END_TEST

/* ---- parameters ---- */

START_TEST(test_numbers_become_text)
{
    static const int64_t numbers[] = {0, 1, -1, 42, 1234567890123456789, INT64_MAX, INT64_MIN};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct db_entry *e = entry_get(&entries);
        char expected[32];

        snprintf(expected, sizeof(expected), "%lld", (long long)numbers[i]);
        entry_set_int(e, numbers[i]);
        ck_assert_str_eq(e->params[0], expected);
        entry_put(&entries, e);
    }
}
END_TEST

START_TEST(test_texts_are_copied_short_long_and_null)
{
    char longer[1000], text[] = "short";
    const char *const params[] = {text, NULL, longer, ""};
    struct db_entry *e = entry_get(&entries);

    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    entry_set_params(e, params, 4);
    text[0] = longer[0] = '!';
    ck_assert_str_eq(e->params[0], "short");
    ck_assert_ptr_null(e->params[1]);
    ck_assert_uint_eq(strlen(e->params[2]), 999);
    ck_assert_int_eq(e->params[2][0], 'x');
    ck_assert_str_eq(e->params[3], "");
    entry_put(&entries, e);
    ck_assert_ptr_null(entry_get(&entries)->params[0]);
}
END_TEST

START_TEST(test_a_detached_query_takes_its_parameters_along)
{
    static struct db_query query; /* the tear-down still tells it that its entry is gone */
    struct db_entry *old = add(77), *e;

    old->query = &query;
    query.entry = old;
    old->statement = SQL_WORLD_BY_ID;
    old->begun = true;
    entry_set_int(old, 123);
    e = entry_detach(&entries, old);
    ck_assert_ptr_eq(query.entry, e);
    ck_assert_ptr_eq(e->query, &query);
    ck_assert_str_eq(e->params[0], "123");
    ck_assert_uint_eq(e->deadline_ns, 77);
    ck_assert(e->begun && !old->begun);
    ck_assert_ptr_null(e->on);
    ck_assert_ptr_null(old->query);
    ck_assert_ptr_eq(old->on, &queue);
    sweep(77, silence);
    ck_assert_uint_eq(told, 0);
}
END_TEST

/* ---- the table ---- */

START_TEST(test_every_statement_is_complete)
{
    for (unsigned i = 0; i < DB_STATEMENTS; i++) {
        const struct db_statement_row *row = &db_statement_table[i];

        ck_assert_ptr_nonnull(row->name);
        ck_assert_uint_lt(row->class, DB_ALL_CLASSES);
        ck_assert_uint_le(row->nparams, DB_PARAMS_MAX);
        ck_assert_ptr_null(strchr(row->text, ';'));
        for (unsigned j = 0; j < row->nparams; j++)
            ck_assert_uint_ne(row->types[j], 0);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("db_queue");
    TCase *tc = tcase_create("db_queue");

    tcase_add_checked_fixture(tc, begin, end);
    tcase_add_test(tc, test_entries_leave_in_the_order_in_which_they_came);
    tcase_add_test(tc, test_an_entry_can_leave_from_the_middle_and_stand_elsewhere);
    tcase_add_test_raise_signal(tc, test_an_entry_on_two_lists_ends_the_process, 6);
    tcase_add_test(tc, test_memory_of_entries_is_used_again);
    tcase_add_test(tc, test_only_what_is_due_is_told);
    tcase_add_test(tc, test_deadlines_in_any_order_are_found);
    tcase_add_test(tc, test_an_earlier_deadline_behind_a_sweep_is_found);
    tcase_add_test(tc, test_an_entry_that_stays_is_told_once_and_hides_nobody);
    tcase_add_test(tc, test_numbers_become_text);
    tcase_add_test(tc, test_texts_are_copied_short_long_and_null);
    tcase_add_test(tc, test_a_detached_query_takes_its_parameters_along);
    tcase_add_test(tc, test_every_statement_is_complete);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}

/*
 * Who listens on a port? Declared in listen.h. /proc/net/tcp and tcp6 give the inode of the socket
 * that listens there, /proc/PID/fd the process that has it open. Used by the supervisor for one
 * error message; only the processes of the same user can be seen (root sees all).
 *
 *   /proc/net/tcp   sl local_address rem_address st ... inode       st 0A: listening
 *                    0: 0100007F:1F90 00000000:0000 0A ... 123456   1F90: port 8080
 */
#include "supervisor/listen.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TCP_STATE_LISTEN = 0x0a };

/* The inode of the socket that listens on `port`; 0: none in this table. */
static unsigned long
listening_inode(const char *table, unsigned port)
{
    char line[512];
    unsigned long inode, found = 0;
    unsigned local, state;
    FILE *f = fopen(table, "re");

    if (f == NULL)
        return 0;
    while (found == 0 && fgets(line, sizeof(line), f) != NULL) {
        if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %lu",
                   &local, &state, &inode) == 3 &&
            local == port && state == TCP_STATE_LISTEN)
            found = inode;
    }
    fclose(f);
    return found;
}

/* Has process `pid` a descriptor that reads as `wanted` ("socket:[123456]")? */
static bool
has_descriptor(const char *pid, const char *wanted)
{
    char path[300], link[64];
    struct dirent *entry;
    bool found = false;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    dir = opendir(path);
    if (dir == NULL)
        return false;
    while (!found && (entry = readdir(dir)) != NULL) {
        ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

        if (n > 0) {
            link[n] = '\0';
            found = strcmp(link, wanted) == 0;
        }
    }
    closedir(dir);
    return found;
}

static void
read_name(const char *pid, char *out, size_t size)
{
    char path[300];
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%s/comm", pid);
    f = fopen(path, "re");
    if (f == NULL || fgets(out, (int)size, f) == NULL)
        snprintf(out, size, "?");
    out[strcspn(out, "\n")] = '\0';
    if (f != NULL)
        fclose(f);
}

pid_t
listen_find_owner(unsigned port, char *name, size_t size)
{
    unsigned long inode = listening_inode("/proc/net/tcp", port);
    struct dirent *entry;
    char wanted[64];
    pid_t owner = 0;
    DIR *proc;

    if (inode == 0)
        inode = listening_inode("/proc/net/tcp6", port);
    proc = inode != 0 ? opendir("/proc") : NULL;
    if (proc == NULL)
        return 0;
    snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
    while (owner == 0 && (entry = readdir(proc)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0]) && has_descriptor(entry->d_name, wanted)) {
            read_name(entry->d_name, name, size);
            owner = (pid_t)atoi(entry->d_name);
        }
    closedir(proc);
    return owner;
}

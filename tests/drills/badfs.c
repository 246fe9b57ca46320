/* Bad disks, without root: counts what a process does to files below BADFS_FOLDER, and at the N-th such operation does
 * what BADFS_DO says. Loaded with LD_PRELOAD.
 *
 *   count         nothing (BADFS_LOG gets one line an operation: name, path)
 *   kill-before   SIGKILL before the operation
 *   kill-half     half of a write, then SIGKILL
 *   kill-after    SIGKILL after the operation
 *   kill-lose     SIGKILL after every archive file was cut back to what was synced: a power failure
 *   full          from here on no write finds space (ENOSPC); BADFS_FOR operations long, then again
 *   broken        the same with EIO
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 4096

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *folder, *what;
static long at, length, count;
static int journal = -1;
/* For each open archive file: bytes that a sync has confirmed, and its name. */
static off_t synced[FILES];
static char *names[FILES];

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fsync)(int), (*real_fdatasync)(int), (*real_ftruncate)(int, off_t), (*real_close)(int);
static int (*real_rename)(const char *, const char *), (*real_unlink)(const char *);
static int (*real_renameat)(int, const char *, int, const char *);
static int (*real_renameat2)(int, const char *, int, const char *, unsigned);

__attribute__((constructor)) static void begin(void) {
    real_write = dlsym(RTLD_NEXT, "write");
    real_writev = dlsym(RTLD_NEXT, "writev");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_close = dlsym(RTLD_NEXT, "close");
    real_rename = dlsym(RTLD_NEXT, "rename");
    real_renameat = dlsym(RTLD_NEXT, "renameat");
    real_renameat2 = dlsym(RTLD_NEXT, "renameat2");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    const char *value;
    folder = getenv("BADFS_FOLDER");
    what = getenv("BADFS_DO");
    at = (value = getenv("BADFS_AT")) ? atol(value) : 0;
    length = (value = getenv("BADFS_FOR")) ? atol(value) : LONG_MAX / 2;
    if ((value = getenv("BADFS_LOG")))
        journal = open(value, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

/* The path of a descriptor below the folder; NULL if it is elsewhere. */
static const char *path_of(int fd, char *buffer) {
    char link[64];
    if (!folder || !what)
        return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, buffer, PATH_MAX - 1);
    if (n <= 0)
        return NULL;
    buffer[n] = 0;
    return strncmp(buffer, folder, strlen(folder)) == 0 ? buffer : NULL;
}

static int is_archive(const char *path) { return strstr(path, ".warc") != NULL; }

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static void lose(void) {
    for (int fd = 0; fd < FILES; fd++)
        if (names[fd])
            (void)!truncate(names[fd], synced[fd]);
    die();
}

enum { GO, HALF, AFTER, FAIL };

static int meet(const char *name, const char *path) {
    pthread_mutex_lock(&lock);
    long now = ++count;
    if (journal >= 0) {
        char line[PATH_MAX + 64];
        int n = snprintf(line, sizeof line, "%s %s\n", name, path);
        (void)!real_write(journal, line, n);
    }
    int how = GO;
    if (at && (!strcmp(what, "full") || !strcmp(what, "broken"))) {
        if (now >= at && now < at + length && strcmp(name, "unlink"))
            errno = what[0] == 'f' ? ENOSPC : EIO, how = FAIL;
    } else if (now == at) {
        if (!strcmp(what, "kill-before"))
            die();
        if (!strcmp(what, "kill-lose"))
            lose();
        how = !strcmp(what, "kill-half") ? HALF : !strcmp(what, "kill-after") ? AFTER : GO;
    }
    /* Others wait while one of us is about to die. */
    if (how != HALF && how != AFTER)
        pthread_mutex_unlock(&lock);
    return how;
}

static void remember(int fd, const char *path) {
    struct stat stat;
    if (fd >= 0 && fd < FILES && is_archive(path) && !names[fd] && !fstat(fd, &stat)) {
        /* What was there when it was opened had been synced or counted by the ledger. */
        synced[fd] = stat.st_size;
        names[fd] = strdup(path);
    }
}

static void confirm(int fd) {
    struct stat stat;
    if (fd >= 0 && fd < FILES && names[fd] && !fstat(fd, &stat))
        synced[fd] = stat.st_size;
}

ssize_t write(int fd, const void *bytes, size_t n) {
    char buffer[PATH_MAX];
    const char *path = path_of(fd, buffer);
    if (!path)
        return real_write(fd, bytes, n);
    remember(fd, path);
    int how = meet("write", path);
    if (how == FAIL)
        return -1;
    if (how == HALF)
        (void)!real_write(fd, bytes, n / 2), die();
    ssize_t result = real_write(fd, bytes, n);
    if (how == AFTER)
        die();
    return result;
}

ssize_t writev(int fd, const struct iovec *parts, int n) {
    char buffer[PATH_MAX];
    const char *path = path_of(fd, buffer);
    if (!path)
        return real_writev(fd, parts, n);
    remember(fd, path);
    int how = meet("writev", path);
    if (how == FAIL)
        return -1;
    if (how == HALF)
        (void)!real_writev(fd, parts, n / 2), die();
    ssize_t result = real_writev(fd, parts, n);
    if (how == AFTER)
        die();
    return result;
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t offset) {
    char buffer[PATH_MAX];
    const char *path = path_of(fd, buffer);
    int how = path ? meet("pwrite", path) : GO;
    if (how == FAIL)
        return -1;
    if (how == HALF)
        (void)!real_pwrite(fd, bytes, n / 2, offset), die();
    ssize_t result = real_pwrite(fd, bytes, n, offset);
    if (how == AFTER)
        die();
    return result;
}
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset) { return pwrite64(fd, bytes, n, offset); }

#define ON_DESCRIPTOR(name, call)                                                                                     \
    char buffer[PATH_MAX];                                                                                            \
    const char *path = path_of(fd, buffer);                                                                           \
    int how = path ? meet(name, path) : GO;                                                                           \
    if (how == FAIL)                                                                                                  \
        return -1;                                                                                                    \
    int result = call;                                                                                                \
    if (how == HALF || how == AFTER)                                                                                  \
        die();

int fsync(int fd) {
    ON_DESCRIPTOR("fsync", real_fsync(fd))
    confirm(fd);
    return result;
}
int fdatasync(int fd) {
    ON_DESCRIPTOR("fdatasync", real_fdatasync(fd))
    confirm(fd);
    return result;
}
int ftruncate64(int fd, off_t n) {
    ON_DESCRIPTOR("ftruncate", real_ftruncate(fd, n))
    confirm(fd);
    return result;
}
int ftruncate(int fd, off_t n) { return ftruncate64(fd, n); }

int close(int fd) {
    if (fd >= 0 && fd < FILES && names[fd]) {
        free(names[fd]);
        names[fd] = NULL;
    }
    return real_close(fd);
}

static int below(const char *path) {
    return folder && what && path && strncmp(path, folder, strlen(folder)) == 0;
}

#define ON_PATH(name, path, call)                                                                                     \
    int how = below(path) ? meet(name, path) : GO;                                                                    \
    if (how == FAIL)                                                                                                  \
        return -1;                                                                                                    \
    int result = call;                                                                                                \
    if (how == HALF || how == AFTER)                                                                                  \
        die();                                                                                                        \
    return result;

int rename(const char *from, const char *to) { ON_PATH("rename", to, real_rename(from, to)) }
int renameat(int a, const char *from, int b, const char *to) { ON_PATH("rename", to, real_renameat(a, from, b, to)) }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    ON_PATH("rename", to, real_renameat2(a, from, b, to, flags))
}
int unlink(const char *path) { ON_PATH("unlink", path, real_unlink(path)) }

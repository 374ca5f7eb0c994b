/* Writes down, in one order, what a process asks of the files in one folder, and what it reports on its standard
 * output meanwhile: put before the C library with LD_PRELOAD, it does each call and appends it to the tape as one step.
 *
 * A step is a header, the file's name within the folder, and the bytes written. The folder's own name is empty.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct header {
    uint32_t kind; /* one of the letters below */
    uint32_t name_bytes;
    uint64_t offset; /* of a write; the new length of a truncated file */
    uint64_t data_bytes;
};

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int tape = -1;
static const char *folder;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("TAPE");
    folder = getenv("TAPE_FOLDER");
    if (path && folder)
        tape = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* The path's name within the folder, or NULL if it lies elsewhere. The index of the log is not on the disk's account. */
static const char *name_of_path(const char *path) {
    size_t length = strlen(folder);
    if (strncmp(path, folder, length) != 0)
        return NULL;
    const char *rest = path + length;
    if (*rest == 0)
        return rest;
    size_t rest_length = strlen(rest);
    if (*rest != '/' || (rest_length > 4 && strcmp(rest + rest_length - 4, "-shm") == 0))
        return NULL;
    return rest + 1;
}

static const char *name_of(int file, char path[PATH_MAX]) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0)
        return NULL;
    path[length] = 0;
    return name_of_path(path);
}

static void append(char kind, const char *name, uint64_t offset, const void *data, size_t data_bytes) {
    struct header header = {kind, strlen(name), offset, data_bytes};
    struct iovec parts[] = {
        {&header, sizeof header}, {(void *)name, header.name_bytes}, {(void *)data, data_bytes}};
    ssize_t whole = sizeof header + header.name_bytes + data_bytes;
    if (syscall(SYS_writev, tape, parts, 3) != whole)
        abort(); /* a tape with gaps would prove nothing */
}

/* Does the call, and appends it if it succeeded on a file of the folder. */
#define STEP(name, call, step)                                                                                        \
    do {                                                                                                              \
        char path[PATH_MAX];                                                                                          \
        const char *name = tape < 0 ? NULL : name_of(file, path);                                                     \
        if (!name)                                                                                                    \
            return call;                                                                                              \
        pthread_mutex_lock(&turn);                                                                                    \
        long result = call;                                                                                           \
        if (result >= 0)                                                                                              \
            step;                                                                                                     \
        pthread_mutex_unlock(&turn);                                                                                  \
        return result;                                                                                                \
    } while (0)

ssize_t pwrite64(int file, const void *data, size_t bytes, off64_t offset) {
    STEP(name, syscall(SYS_pwrite64, file, data, bytes, offset), append('W', name, offset, data, result));
}

ssize_t pwrite(int file, const void *data, size_t bytes, off_t offset) {
    return pwrite64(file, data, bytes, offset);
}

ssize_t write(int file, const void *data, size_t bytes) {
    if (file == STDOUT_FILENO && tape >= 0) {
        pthread_mutex_lock(&turn);
        append('R', "", 0, data, bytes);
        pthread_mutex_unlock(&turn);
        return bytes;
    }
    off_t offset = lseek(file, 0, SEEK_CUR);
    STEP(name, syscall(SYS_write, file, data, bytes), append('W', name, offset, data, result));
}

int ftruncate64(int file, off64_t length) {
    STEP(name, syscall(SYS_ftruncate, file, length), append('T', name, length, NULL, 0));
}

int ftruncate(int file, off_t length) {
    return ftruncate64(file, length);
}

int fdatasync(int file) {
    STEP(name, syscall(SYS_fdatasync, file), append('S', name, 0, NULL, 0));
}

int fsync(int file) {
    STEP(name, syscall(SYS_fsync, file), append('S', name, 0, NULL, 0));
}

int unlink(const char *path) {
    const char *name = tape < 0 ? NULL : name_of_path(path);
    if (name)
        pthread_mutex_lock(&turn);
    long result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (name && result >= 0)
        append('U', name, 0, NULL, 0);
    if (name)
        pthread_mutex_unlock(&turn);
    return result;
}

/* Writes down, in one order, what a process asks of the files in one folder, and what it reports on its standard
 * output meanwhile: put before the C library with LD_PRELOAD, it does each call and appends it to the tape as one step.
 *
 * A step is a header, the file's name within the folder, and the bytes written. The folder's own name is empty.
 *
 * It also lets calls fail, with a tape or without one, as FAULTS says: `kind:nth:times:errno:end of the name`, separated by commas. The nth call of
 * that kind on a file of the folder whose name ends so, or on any file where the end is `*`, fails, and as many after it; 0 times is for ever.
 * The errno 0 stands for a short count: half of it, and one byte at least. A sync that fails is a step of its own: its file's writes since the last sync are lost. CALLS names a file
 * into which the number of calls of each kind is written at the end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
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

enum { MOST_FAULTS = 8 };
static struct fault {
    char kind[16];
    char end_of_name[16];
    long nth, times; /* counted down */
    int for_ever, error;
} faults[MOST_FAULTS];
static int fault_count;

static const char *const kinds[] = {"open", "read", "write", "sync", "truncate", "rename", "unlink"};
enum { KINDS = sizeof kinds / sizeof *kinds };
static long calls[KINDS];

static void read_faults(const char *text) {
    while (text && *text) {
        struct fault *fault = &faults[fault_count];
        int length = 0, fields = 0;
        if (fault_count < MOST_FAULTS)
            fields = sscanf(text, "%15[^:]:%ld:%ld:%d:%15[^,]%n", fault->kind, &fault->nth, &fault->times,
                            &fault->error, fault->end_of_name, &length);
        if (fields != 5)
            abort(); /* a fault that is misunderstood would prove nothing */
        fault->for_ever = fault->times == 0;
        fault_count++;
        text += length + (text[length] == ',');
    }
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("TAPE");
    folder = getenv("TAPE_FOLDER");
    read_faults(getenv("FAULTS"));
    if (!folder)
        folder = getenv("FAULTS_FOLDER");
    if (path && folder)
        tape = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("CALLS");
    char line[512] = "";
    int length = 0;
    if (!path)
        return;
    for (int kind = 0; kind < KINDS; kind++)
        length += snprintf(line + length, sizeof line - length, "%s %ld\n", kinds[kind], calls[kind]);
    int file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (syscall(SYS_write, file, line, length) != length)
        abort(); /* counts that are missing would prove nothing */
    syscall(SYS_close, file);
}

static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;

/* The error that the call is to fail with; -1 for none, 0 for a short count. */
static int fault_of(const char *kind, const char *name) {
    int error = -1;
    pthread_mutex_lock(&counting);
    for (int counted = 0; counted < KINDS; counted++)
        calls[counted] += strcmp(kind, kinds[counted]) == 0;
    for (struct fault *fault = faults; fault < faults + fault_count; fault++) {
        size_t name_length = strlen(name), end_length = strlen(fault->end_of_name);
        int is_any = strcmp(fault->end_of_name, "*") == 0;
        if (strcmp(kind, fault->kind) != 0)
            continue;
        if (!is_any && (name_length < end_length || strcmp(name + name_length - end_length, fault->end_of_name) != 0))
            continue;
        if (--fault->nth > 0)
            continue;
        if (fault->for_ever || fault->times-- > 0) {
            error = fault->error;
            break;
        }
    }
    pthread_mutex_unlock(&counting);
    return error;
}

static long fail_with(int error) {
    errno = error;
    return -1;
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
    if (tape < 0)
        return;
    ssize_t whole = sizeof header + header.name_bytes + data_bytes;
    if (syscall(SYS_writev, tape, parts, 3) != whole)
        abort(); /* a tape with gaps would prove nothing */
}

/* Does the call, and appends it if it succeeded on a file of the folder. */
#define STEP(kind, name, call, short_call, failed, step)                                                              \
    do {                                                                                                              \
        char path[PATH_MAX];                                                                                          \
        const char *name = folder ? name_of(file, path) : NULL;                                                       \
        if (!name)                                                                                                    \
            return call;                                                                                              \
        pthread_mutex_lock(&turn);                                                                                    \
        int error = fault_of(kind, name);                                                                             \
        long result = error < 0 ? call : error == 0 ? short_call : fail_with(error);                                  \
        int saved_errno = errno;                                                                                      \
        if (result >= 0)                                                                                              \
            step;                                                                                                     \
        else if (error > 0)                                                                                           \
            failed;                                                                                                   \
        pthread_mutex_unlock(&turn);                                                                                  \
        errno = saved_errno;                                                                                          \
        return result;                                                                                                \
    } while (0)
#define NOTHING ((void)0)

ssize_t pwrite64(int file, const void *data, size_t bytes, off64_t offset) {
    STEP("write", name, syscall(SYS_pwrite64, file, data, bytes, offset),
         syscall(SYS_pwrite64, file, data, (bytes + 1) / 2, offset), NOTHING, append('W', name, offset, data, result));
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
    STEP("write", name, syscall(SYS_write, file, data, bytes), syscall(SYS_write, file, data, (bytes + 1) / 2), NOTHING,
         append('W', name, offset, data, result));
}

ssize_t pread64(int file, void *data, size_t bytes, off64_t offset) {
    STEP("read", name, syscall(SYS_pread64, file, data, bytes, offset),
         syscall(SYS_pread64, file, data, (bytes + 1) / 2, offset), NOTHING, NOTHING);
}

ssize_t pread(int file, void *data, size_t bytes, off_t offset) {
    return pread64(file, data, bytes, offset);
}

ssize_t read(int file, void *data, size_t bytes) {
    STEP("read", name, syscall(SYS_read, file, data, bytes), syscall(SYS_read, file, data, (bytes + 1) / 2), NOTHING,
         NOTHING);
}

int ftruncate64(int file, off64_t length) {
    STEP("truncate", name, syscall(SYS_ftruncate, file, length), syscall(SYS_ftruncate, file, length), NOTHING,
         append('T', name, length, NULL, 0));
}

int ftruncate(int file, off_t length) {
    return ftruncate64(file, length);
}

/* In the model nothing of what was written since the last sync has come to the disk, and nothing of it will. */
int fdatasync(int file) {
    STEP("sync", name, syscall(SYS_fdatasync, file), syscall(SYS_fdatasync, file), append('F', name, 0, NULL, 0),
         append('S', name, 0, NULL, 0));
}

int fsync(int file) {
    STEP("sync", name, syscall(SYS_fsync, file), syscall(SYS_fsync, file), append('F', name, 0, NULL, 0),
         append('S', name, 0, NULL, 0));
}

/* The name of a file that a call by path is about, and the error that it is to fail with. */
static const char *named(const char *kind, const char *path, int *error) {
    const char *name = folder ? name_of_path(path) : NULL;
    *error = name ? fault_of(kind, name) : -1;
    return name;
}

static int open_or_fail(const char *path, int flags, va_list arguments) {
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    int error;
    named("open", path, &error);
    return error > 0 ? fail_with(error) : syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    int file = open_or_fail(path, flags | O_LARGEFILE, arguments);
    va_end(arguments);
    return file;
}

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    int file = open_or_fail(path, flags, arguments);
    va_end(arguments);
    return file;
}

/* By a folder that is open: how whole folders are removed. */
static const char *named_at(const char *kind, int at, const char *path, char whole[2 * PATH_MAX], int *error) {
    char of_folder[32];
    if (at == AT_FDCWD || *path == '/')
        return named(kind, path, error);
    snprintf(of_folder, sizeof of_folder, "/proc/self/fd/%d", at);
    ssize_t length = readlink(of_folder, whole, PATH_MAX - 1);
    *error = -1;
    if (length < 0)
        return NULL;
    snprintf(whole + length, 2 * PATH_MAX - length, "/%s", path);
    return named(kind, whole, error);
}

int unlinkat(int at, const char *path, int flags) {
    char whole[2 * PATH_MAX];
    int error;
    const char *name = named_at("unlink", at, path, whole, &error);
    if (error > 0)
        return fail_with(error);
    if (name)
        pthread_mutex_lock(&turn);
    long result = syscall(SYS_unlinkat, at, path, flags);
    if (name && result >= 0)
        append('U', name, 0, NULL, 0);
    if (name)
        pthread_mutex_unlock(&turn);
    return result;
}

/* Where it is not to be had, bytes are copied by reading and writing, which are watched. */
#define UNUSED __attribute__((unused))

ssize_t copy_file_range(UNUSED int from, UNUSED off64_t *from_offset, UNUSED int to, UNUSED off64_t *to_offset,
                        UNUSED size_t bytes, UNUSED unsigned flags) {
    errno = ENOSYS;
    return -1;
}

ssize_t sendfile64(UNUSED int to, UNUSED int from, UNUSED off64_t *offset, UNUSED size_t bytes) {
    errno = ENOSYS;
    return -1;
}

ssize_t sendfile(UNUSED int to, UNUSED int from, UNUSED off_t *offset, UNUSED size_t bytes) {
    errno = ENOSYS;
    return -1;
}

int unlink(const char *path) {
    int error;
    const char *name = named("unlink", path, &error);
    if (error > 0)
        return fail_with(error);
    if (name)
        pthread_mutex_lock(&turn);
    long result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (name && result >= 0)
        append('U', name, 0, NULL, 0);
    if (name)
        pthread_mutex_unlock(&turn);
    return result;
}

int rename(const char *from, const char *to) {
    int error;
    const char *name = named("rename", from, &error);
    if (error > 0)
        return fail_with(error);
    if (name)
        pthread_mutex_lock(&turn);
    long result = syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
    const char *new_name = name ? name_of_path(to) : NULL;
    if (new_name && result >= 0)
        append('N', name, 0, new_name, strlen(new_name));
    if (name)
        pthread_mutex_unlock(&turn);
    return result;
}

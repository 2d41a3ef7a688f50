/*
 * The first process of a task's container: starts the task's command, ends it when it is told to, and tells how
 * it ended.
 *
 *     first MARK FOLDER PROGRAM [ARGUMENT...]
 *
 * A container's engine by itself offers less than an executor promises. It reads standard output and standard
 * error by two pipes, so that nobody can tell afterwards what was written first; it drops what is not read
 * within two seconds of the end; a first process to which nobody has taught signals is deaf to SIGTERM; and an
 * exit code of 137 may be a number or a signal. Here the command writes both into standard output, and standard
 * error is for the worker, which reads these lines:
 *
 *     begun                    the program has been started
 *     no-folder ERRNO          the folder cannot be entered; nothing was started
 *     no-program ERRNO         the program cannot be started
 *     exited CODE KILLS ASKED  the command has exited; KILLS is how many the system has killed for want of
 *                              memory, and ASKED whether it had been asked to end before, 0 or 1
 *     killed SIGNAL KILLS ASKED  a signal has ended it
 *
 * After SIGTERM, which the command's process group is sent, those in the group may go on until SIGUSR1. When the
 * command has ended, all else in the container is killed. A NUL and MARK are then the last of standard output,
 * and this process stays until the worker has read them, and kills it.
 *
 * Where it is not the first process it does nothing, says `not-first` and exits with 125.
 *
 * It runs in images of any kind, so it needs no library: see build.sh beside it.
 */

#if defined(__x86_64__)
enum {
    READ = 0, WRITE = 1, CLOSE = 3, RT_SIGPROCMASK = 14, GETPID = 39, CLONE = 56, EXECVE = 59, WAIT4 = 61,
    KILL = 62, CHDIR = 80, SETSID = 112, RT_SIGTIMEDWAIT = 128, PRCTL = 157, EXIT_GROUP = 231, OPENAT = 257,
    FACCESSAT = 269, DUP3 = 292, PIPE2 = 293
};

__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall first\n");

static long call(long number, long a, long b, long c, long d)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = 0;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
enum {
    READ = 63, WRITE = 64, CLOSE = 57, RT_SIGPROCMASK = 135, CLONE = 220, EXECVE = 221, WAIT4 = 260, KILL = 129,
    CHDIR = 49, SETSID = 157, GETPID = 172, RT_SIGTIMEDWAIT = 137, PRCTL = 167, EXIT_GROUP = 94, OPENAT = 56,
    FACCESSAT = 48, DUP3 = 24, PIPE2 = 59
};

__asm__(".globl _start\n_start:\n\tmov x29, xzr\n\tmov x0, sp\n\tbl first\n");

static long call(long number, long a, long b, long c, long d)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = 0;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
}
#else
#error "This kind of processor has no entry here."
#endif

enum { ENOENT = 2, ESRCH = 3, EACCES = 13, ENOTDIR = 20, EINVAL = 22, ENAMETOOLONG = 36 };
enum { SIGKILL = 9, SIGUSR1 = 10, SIGTERM = 15, SIGCHLD = 17, SIGCONT = 18 };
enum { OUTPUT = 1, REPORT = 2, HERE = -100, CLOSE_ON_EXEC = 02000000 };
enum { SET_DUMPABLE = 4, BLOCK = 0, SET_MASK = 2, NO_HANG = 1, MAY_WRITE = 2, SIGNALS_BYTES = 8 };
enum { PATH_BYTES = 4096, FILE_BYTES = 4096, LINE_BYTES = 64, DIGITS = 20 };
enum { NOT_FIRST = 125, NOT_STARTED = 127 };

struct time {
    long seconds, nanoseconds;
};

struct failure {
    long of_folder, number;
};

/* Named by the test that this program was built from this source. */
__attribute__((used)) static const char source[] = "source " SOURCE_SHA256;

static long text_length(const char *text)
{
    long length = 0;
    while (text[length])
        length++;
    return length;
}

/* Returns what follows the prefix, or null where the text begins otherwise. */
static const char *after(const char *text, const char *prefix)
{
    for (; *prefix; text++, prefix++)
        if (*text != *prefix)
            return 0;
    return text;
}

static char *append(char *end, const char *text)
{
    while (*text)
        *end++ = *text++;
    return end;
}

static char *append_number(char *end, unsigned long number)
{
    char digits[DIGITS];
    int count = 0;
    do
        digits[count++] = '0' + number % 10;
    while (number /= 10);
    while (count)
        *end++ = digits[--count];
    return end;
}

static void report(const char *word, const long *numbers, int count)
{
    char line[LINE_BYTES];
    char *end = append(line, word);
    for (int n = 0; n < count; n++)
        end = append_number(append(end, " "), numbers[n]);
    *end++ = '\n';
    call(WRITE, REPORT, (long)line, end - line, 0);
}

/* Reads the number that follows `oom_kill ` at the beginning of a line, or -1. */
static long kills_in(const char *path)
{
    static char content[FILE_BYTES];
    long file = call(OPENAT, HERE, (long)path, CLOSE_ON_EXEC, 0);
    if (file < 0)
        return -1;
    long size = call(READ, file, (long)content, FILE_BYTES - 1, 0);
    call(CLOSE, file, 0, 0, 0);
    content[size < 0 ? 0 : size] = 0;
    for (const char *line = content; *line;) {
        const char *digit = after(line, "oom_kill ");
        if (digit) {
            long number = 0;
            for (; *digit >= '0' && *digit <= '9'; digit++)
                number = number * 10 + (*digit - '0');
            return number;
        }
        while (*line && *line++ != '\n')
            ;
    }
    return -1;
}

/* Counts whom the system has killed here for want of memory: of version 2 of control groups, or of version 1. */
static long memory_kills(void)
{
    long kills = kills_in("/sys/fs/cgroup/memory.events");
    if (kills < 0)
        kills = kills_in("/sys/fs/cgroup/memory/memory.oom_control");
    return kills < 0 ? 0 : kills;
}

static char *variable(char **environment, const char *prefix)
{
    for (; *environment; environment++) {
        const char *value = after(*environment, prefix);
        if (value)
            return (char *)value;
    }
    return 0;
}

/* A user whom the image does not know is given `/` as the home folder, where most users may not write. */
static void give_home(char **environment)
{
    for (; *environment; environment++) {
        const char *home = after(*environment, "HOME=");
        if (home && home[0] == '/' && !home[1] && call(FACCESSAT, HERE, (long)home, MAY_WRITE, 0) < 0)
            *environment = "HOME=/tmp";
    }
}

/* Looks along PATH as execvp does. Returns why no program could be started. */
static long execute(char **arguments, char **environment)
{
    const char *program = arguments[0];
    for (const char *letter = program; *letter; letter++)
        if (*letter == '/')
            return -call(EXECVE, (long)program, (long)arguments, (long)environment, 0);
    const char *folder = variable(environment, "PATH=");
    long length = text_length(program), failure = ENOENT;
    if (!folder || !length)
        return ENOENT;
    for (;; folder++) {
        char path[PATH_BYTES];
        char *end = path;
        for (; *folder && *folder != ':'; folder++)
            if (end - path + length + 2 < PATH_BYTES)
                *end++ = *folder;
        if (end != path)
            *end++ = '/';
        if (end - path + length >= PATH_BYTES)
            return ENAMETOOLONG;
        *append(end, program) = 0;
        long number = -call(EXECVE, (long)path, (long)arguments, (long)environment, 0);
        if (number == EACCES)
            failure = EACCES;
        else if (number != ENOENT && number != ENOTDIR)
            return number;
        if (!*folder)
            return failure;
    }
}

static void become_command(char **arguments, char **environment, long failures)
{
    unsigned long none = 0;
    struct failure failure = {.of_folder = 1};
    call(SETSID, 0, 0, 0, 0);
    call(DUP3, OUTPUT, REPORT, 0, 0);
    failure.number = -call(CHDIR, (long)arguments[2], 0, 0, 0);
    if (!failure.number) {
        failure.of_folder = 0;
        call(RT_SIGPROCMASK, SET_MASK, (long)&none, 0, SIGNALS_BYTES);
        failure.number = execute(arguments + 3, environment);
    }
    call(WRITE, failures, (long)&failure, sizeof failure, 0);
    call(EXIT_GROUP, NOT_STARTED, 0, 0, 0);
}

/* Buries the dead. Returns the command's status once it has ended, and -1 before. */
static long bury(long command, long status)
{
    int found;
    for (;;) {
        long dead = call(WAIT4, -1, (long)&found, NO_HANG, 0);
        if (dead <= 0)
            return status;
        if (dead == command)
            status = found;
    }
}

/* Returns the command's status when it has ended and nobody may go on. */
static long stay_with(long command, const unsigned long *all, int *asked)
{
    const struct time moment = {.nanoseconds = 50000000};
    enum { GOES_ON, MAY_CLEAN_UP, IS_OVER } state = GOES_ON;
    long status = -1;
    for (;;) {
        /* A member of the group whose parent has left the group is buried by others, without a signal. */
        long number = call(RT_SIGTIMEDWAIT, (long)all, 0, status < 0 ? 0 : (long)&moment, SIGNALS_BYTES);
        *asked |= number == SIGTERM || number == SIGUSR1;
        if (number == SIGTERM) {
            state = MAY_CLEAN_UP;
            call(KILL, -command, SIGTERM, 0, 0);
            call(KILL, -command, SIGCONT, 0, 0);
        } else if (number == SIGUSR1) {
            state = IS_OVER;
            call(KILL, -1, SIGKILL, 0, 0);
        }
        status = bury(command, status);
        if (status >= 0 && (state != MAY_CLEAN_UP || call(KILL, -command, 0, 0, 0) == -ESRCH))
            return status;
    }
}

static void kill_all_else(void)
{
    int found;
    do
        call(KILL, -1, SIGKILL, 0, 0);
    while (call(WAIT4, -1, (long)&found, 0, 0) > 0);
}

static void tell(long status, int asked, const char *mark)
{
    long signal = status & 0x7f;
    long numbers[] = {signal ? signal : (status >> 8) & 0xff, memory_kills(), asked};
    char line[LINE_BYTES] = {0};
    char *end = line + 1;
    for (; *mark && end < line + LINE_BYTES; mark++)
        *end++ = *mark;
    call(WRITE, OUTPUT, (long)line, end - line, 0);
    report(signal ? "killed" : "exited", numbers, 3);
}

__attribute__((used, noreturn)) void first(long *stack)
{
    long count = stack[0];
    char **arguments = (char **)(stack + 1);
    char **environment = arguments + count + 1;
    unsigned long all = ~0ul;
    struct failure failure;
    int failures[2];

    /* Anywhere else, to kill all else would be to kill what is none of its business. */
    if (call(GETPID, 0, 0, 0, 0) != 1) {
        report("not-first", 0, 0);
        for (;;)
            call(EXIT_GROUP, NOT_FIRST, 0, 0, 0);
    }
    /* What the command is not to do: to speak in this process's name, through /proc/1/fd. */
    call(PRCTL, SET_DUMPABLE, 0, 0, 0);
    call(RT_SIGPROCMASK, BLOCK, (long)&all, 0, SIGNALS_BYTES);
    give_home(environment);
    long command = count < 4 ? -EINVAL : call(PIPE2, (long)failures, CLOSE_ON_EXEC, 0, 0);
    if (command == 0)
        command = call(CLONE, SIGCHLD, 0, 0, 0);
    if (command == 0)
        become_command(arguments, environment, failures[1]);
    if (command < 0) {
        long number = -command;
        report("no-program", &number, 1);
    } else {
        call(CLOSE, failures[1], 0, 0, 0);
        if (call(READ, failures[0], (long)&failure, sizeof failure, 0) == sizeof failure) {
            report(failure.of_folder ? "no-folder" : "no-program", &failure.number, 1);
        } else {
            call(CLOSE, failures[0], 0, 0, 0);
            report("begun", 0, 0);
            int asked = 0;
            long status = stay_with(command, &all, &asked);
            kill_all_else();
            tell(status, asked, arguments[1]);
        }
    }
    for (;;)
        call(RT_SIGTIMEDWAIT, (long)&all, 0, 0, SIGNALS_BYTES);
}

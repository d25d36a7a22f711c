/*
 * The main() of a fuzz target where libFuzzer is not linked in: gives it each file that is named,
 * and each file of each folder that is named, once. A corpus that does not exist yet is an empty
 * one.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 16 * 1024 * 1024 };

static int replay_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    /* Exactly as large as the input, so that AddressSanitizer sees the first byte behind it. */
    size_t size = 0;
    if (fseek(file, 0, SEEK_END) == 0) size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = size <= INPUT_MAX ? malloc(size ? size : 1) : NULL;
    int status = data && fread(data, 1, size, file) == size ? 0 : -1;
    fclose(file);
    if (status == 0)
        LLVMFuzzerTestOneInput(data, size);
    else
        fprintf(stderr, "%s: cannot be read\n", path);
    free(data);
    return status;
}

/* Returns how many inputs were replayed, -1 on failure. */
static int replay(const char *path) {
    DIR *folder = opendir(path);
    if (!folder) return errno == ENOENT ? 0 : replay_file(path) == 0 ? 1 : -1;
    int count = 0;
    struct dirent *entry;
    while (count >= 0 && (entry = readdir(folder))) {
        char file[4096];
        if (entry->d_name[0] == '.') continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        count = replay_file(file) == 0 ? count + 1 : -1;
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv) {
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int count = replay(argv[i]);
        if (count < 0) return 1;
        total += count;
    }
    printf("%d inputs replayed\n", total);
    return 0;
}

/* Unpacks one .xz file from standard input to standard output: what the self-extracting file brings along, because a
   small system has no xz. 0: done and its hash is right; 1: damaged or cut off; 2: could not read or write. */
#include <lzma.h>
#include <stdint.h>
#include <stdio.h>

static uint8_t packed[1 << 16], unpacked[1 << 16];

int main(void) {
    lzma_stream stream = LZMA_STREAM_INIT;
    if (lzma_stream_decoder(&stream, UINT64_MAX, 0) != LZMA_OK)
        return 2;
    lzma_action action = LZMA_RUN;
    lzma_ret result = LZMA_OK;
    while (result == LZMA_OK) {
        if (stream.avail_in == 0 && action == LZMA_RUN) {
            stream.next_in = packed;
            stream.avail_in = fread(packed, 1, sizeof packed, stdin);
            if (ferror(stdin))
                return 2;
            if (stream.avail_in == 0)
                action = LZMA_FINISH;
        }
        stream.next_out = unpacked;
        stream.avail_out = sizeof unpacked;
        result = lzma_code(&stream, action);
        size_t ready = sizeof unpacked - stream.avail_out;
        if (fwrite(unpacked, 1, ready, stdout) != ready)
            return 2;
    }
    return result != LZMA_STREAM_END ? 1 : fflush(stdout) ? 2 : 0;
}

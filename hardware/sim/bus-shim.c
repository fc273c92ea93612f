/*
 * Opens of /dev/i2c-N and /dev/spidevN.M become connections to a program that plays the bus (bus-server.ts), so that
 * the unmodified packages i2c-bus and spi-device run where there is no bus. Loaded by LD_PRELOAD; the program is named
 * by KEDGE_BUS_SOCKET. A question is an operation, a length and as many bytes; an answer is a result (or an error as a
 * negative number), a length and as many bytes; numbers have the order of this machine, and pieces are not padded.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <linux/spi/spidev.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { OPEN = 1, I2C = 2, SPI = 3 };
enum { MOST_DEVICES = 256, MOST_BYTES = 65536, SPI_MOST = 4096 };

struct device {
	int fd;
	ino_t inode;
	uint16_t address;
	uint8_t mode, bits;
	uint32_t speed;
	pthread_mutex_t busy;
};

static struct device devices[MOST_DEVICES];
static int device_count;
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int fail(int error)
{
	errno = error;
	return -1;
}

/* A program may close by a bare system call: a number alone does not say that it is still the same socket. */
static struct device *device_of(int fd)
{
	struct device *found = NULL;
	struct stat now;
	pthread_mutex_lock(&table);
	for (int i = 0; i < device_count && !found; i++)
		if (devices[i].fd == fd) found = &devices[i];
	pthread_mutex_unlock(&table);
	if (!found || fstat(fd, &now) || !S_ISSOCK(now.st_mode) || now.st_ino != found->inode) return NULL;
	return found;
}

static int keep(int fd)
{
	struct stat now;
	int at = 0;
	if (fstat(fd, &now)) return -1;
	pthread_mutex_lock(&table);
	while (at < device_count && devices[at].fd != fd) at++;
	if (at == MOST_DEVICES) {
		pthread_mutex_unlock(&table);
		return fail(ENFILE);
	}
	devices[at] = (struct device){ .fd = fd, .inode = now.st_ino, .bits = 8, .speed = 500000 };
	pthread_mutex_init(&devices[at].busy, NULL);
	if (at == device_count) device_count++;
	pthread_mutex_unlock(&table);
	return 0;
}

static int all_sent(int fd, const void *bytes, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t now = send(fd, (const char *)bytes + done, length - done, MSG_NOSIGNAL);
		if (now < 0 && errno == EINTR) continue;
		if (now <= 0) return fail(ENODEV);
		done += now;
	}
	return 0;
}

static int all_received(int fd, void *bytes, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t now = recv(fd, (char *)bytes + done, length - done, 0);
		if (now < 0 && errno == EINTR) continue;
		if (now <= 0) return fail(ENODEV);
		done += now;
	}
	return 0;
}

/* The result of one question; `answer` gets exactly `expected` bytes, or it has failed. */
static int ask(int fd, uint8_t what, const void *bytes, uint32_t length, void *answer, uint32_t expected)
{
	struct { int32_t result; uint32_t length; } head;
	if (all_sent(fd, &what, 1) || all_sent(fd, &length, 4) || all_sent(fd, bytes, length)) return -1;
	if (all_received(fd, &head, sizeof head)) return -1;
	if (head.result < 0) return fail(-head.result);
	if (head.length != expected) return fail(EPROTO);
	if (expected && all_received(fd, answer, expected)) return -1;
	return head.result;
}

static int open_device(const char *path, int flags)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const char *socket_path = getenv("KEDGE_BUS_SOCKET");
	int fd;
	if (strlen(socket_path) >= sizeof at.sun_path) return fail(ENAMETOOLONG);
	strcpy(at.sun_path, socket_path);
	fd = socket(AF_UNIX, SOCK_STREAM | (flags & O_CLOEXEC ? SOCK_CLOEXEC : 0), 0);
	if (fd < 0) return -1;
	if (connect(fd, (struct sockaddr *)&at, sizeof at)) {
		REAL(close)(fd);
		return fail(ENOENT);
	}
	if (ask(fd, OPEN, path, strlen(path), NULL, 0) < 0 || keep(fd)) {
		int error = errno;
		REAL(close)(fd);
		return fail(error);
	}
	return fd;
}

/* Messages of one transfer: address, flags and length of each, and the bytes of those that write. */
static int transfer_i2c(struct device *to, struct i2c_msg *messages, uint32_t count)
{
	static const size_t head = 3 * sizeof(uint16_t);
	uint8_t *question = malloc(MOST_BYTES), *answer = malloc(MOST_BYTES);
	uint32_t length = 4, expected = 0, at = 0;
	int result;
	memcpy(question, &count, 4);
	for (uint32_t i = 0; i < count; i++) {
		const struct i2c_msg *one = &messages[i];
		uint16_t fields[3] = { one->addr, one->flags, one->len };
		int reads = one->flags & I2C_M_RD;
		if (length + head + one->len > MOST_BYTES || expected + one->len > MOST_BYTES) {
			free(question);
			free(answer);
			return fail(EINVAL);
		}
		memcpy(question + length, fields, head);
		length += head;
		if (reads) expected += one->len;
		else memcpy(question + length, one->buf, one->len), length += one->len;
	}
	pthread_mutex_lock(&to->busy);
	result = ask(to->fd, I2C, question, length, answer, expected);
	pthread_mutex_unlock(&to->busy);
	for (uint32_t i = 0; result >= 0 && i < count; i++) {
		if (!(messages[i].flags & I2C_M_RD)) continue;
		memcpy(messages[i].buf, answer + at, messages[i].len);
		at += messages[i].len;
	}
	free(question);
	free(answer);
	return result < 0 ? -1 : (int)count;
}

/* As the kernel does it for a bus that knows no SMBus by itself. */
static int transfer_smbus(struct device *to, struct i2c_smbus_ioctl_data *call)
{
	uint8_t sent[I2C_SMBUS_BLOCK_MAX + 2] = { call->command }, got[I2C_SMBUS_BLOCK_MAX + 2] = { 0 };
	union i2c_smbus_data *data = call->data;
	int reads = call->read_write == I2C_SMBUS_READ;
	struct i2c_msg messages[2] = {
		{ .addr = to->address, .len = 1, .buf = sent },
		{ .addr = to->address, .flags = I2C_M_RD, .len = 0, .buf = got },
	};
	int count = reads ? 2 : 1;
	/* The form of long ago names no length when it reads, and means all. */
	if (call->size == I2C_SMBUS_I2C_BLOCK_BROKEN) {
		call->size = I2C_SMBUS_I2C_BLOCK_DATA;
		if (reads) data->block[0] = I2C_SMBUS_BLOCK_MAX;
	}
	switch (call->size) {
	case I2C_SMBUS_QUICK:
		messages[0].len = 0;
		messages[0].flags = reads ? I2C_M_RD : 0;
		return transfer_i2c(to, messages, 1) < 0 ? -1 : 0;
	case I2C_SMBUS_BYTE:
		messages[1].len = 1;
		if (transfer_i2c(to, reads ? messages + 1 : messages, 1) < 0) return -1;
		if (reads) data->byte = got[0];
		return 0;
	case I2C_SMBUS_BYTE_DATA:
		messages[1].len = 1;
		if (!reads) sent[messages[0].len++] = data->byte;
		break;
	case I2C_SMBUS_PROC_CALL:
	case I2C_SMBUS_WORD_DATA:
		messages[1].len = 2;
		if (call->size == I2C_SMBUS_PROC_CALL) reads = 1, count = 2;
		if (!reads || call->size == I2C_SMBUS_PROC_CALL) {
			sent[messages[0].len++] = data->word & 0xff;
			sent[messages[0].len++] = data->word >> 8;
		}
		break;
	case I2C_SMBUS_BLOCK_DATA:
	case I2C_SMBUS_I2C_BLOCK_DATA:
		if (reads && call->size == I2C_SMBUS_BLOCK_DATA) return fail(EOPNOTSUPP);
		if (data->block[0] < 1 || data->block[0] > I2C_SMBUS_BLOCK_MAX) return fail(EINVAL);
		messages[1].len = data->block[0];
		if (reads) break;
		if (call->size == I2C_SMBUS_BLOCK_DATA) sent[messages[0].len++] = data->block[0];
		memcpy(sent + messages[0].len, data->block + 1, data->block[0]);
		messages[0].len += data->block[0];
		break;
	default:
		return fail(EOPNOTSUPP);
	}
	if (transfer_i2c(to, messages, count) < 0) return -1;
	if (!reads) return 0;
	if (call->size == I2C_SMBUS_BYTE_DATA) data->byte = got[0];
	else if (call->size == I2C_SMBUS_I2C_BLOCK_DATA) memcpy(data->block + 1, got, data->block[0]);
	else data->word = got[0] | got[1] << 8;
	return 0;
}

/* Mode, then for each part speed, length, bits and whether the chip is let go after it, and its bytes. */
static int transfer_spi(struct device *to, const struct spi_ioc_transfer *parts, uint32_t count)
{
	uint8_t *question, answer[SPI_MOST];
	uint32_t length = 5, total = 0, at = 0;
	int result;
	for (uint32_t i = 0; i < count; i++) {
		if (parts[i].len > SPI_MOST || (total += parts[i].len) > SPI_MOST) return fail(EMSGSIZE);
	}
	question = calloc(1, 5 + count * 10 + total);
	question[0] = to->mode;
	memcpy(question + 1, &count, 4);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t speed = parts[i].speed_hz ? parts[i].speed_hz : to->speed;
		memcpy(question + length, &speed, 4);
		memcpy(question + length + 4, &parts[i].len, 4);
		question[length + 8] = parts[i].bits_per_word ? parts[i].bits_per_word : to->bits;
		question[length + 9] = parts[i].cs_change;
		length += 10;
		if (parts[i].tx_buf) memcpy(question + length, (void *)(uintptr_t)parts[i].tx_buf, parts[i].len);
		length += parts[i].len;
	}
	pthread_mutex_lock(&to->busy);
	result = ask(to->fd, SPI, question, length, answer, total);
	pthread_mutex_unlock(&to->busy);
	free(question);
	for (uint32_t i = 0; result >= 0 && i < count; i++) {
		if (parts[i].rx_buf) memcpy((void *)(uintptr_t)parts[i].rx_buf, answer + at, parts[i].len);
		at += parts[i].len;
	}
	return result < 0 ? -1 : (int)total;
}

static ssize_t move_bytes(struct device *to, void *bytes, size_t length, int flags)
{
	struct i2c_msg one = { .addr = to->address, .flags = flags, .len = length > 8192 ? 8192 : length, .buf = bytes };
	return transfer_i2c(to, &one, 1) < 0 ? -1 : one.len;
}

static int is_ours(const char *path)
{
	return getenv("KEDGE_BUS_SOCKET") && (!strncmp(path, "/dev/i2c-", 9) || !strncmp(path, "/dev/spidev", 11));
}

#define OPEN_AS(name)                                              \
	int name(const char *path, int flags, ...)                 \
	{                                                          \
		mode_t mode;                                       \
		va_list rest;                                      \
		va_start(rest, flags);                             \
		mode = va_arg(rest, mode_t);                       \
		va_end(rest);                                      \
		if (is_ours(path)) return open_device(path, flags); \
		return REAL(name)(path, flags, mode);              \
	}

OPEN_AS(open)
OPEN_AS(open64)

ssize_t read(int fd, void *bytes, size_t length)
{
	struct device *to = device_of(fd);
	return to ? move_bytes(to, bytes, length, I2C_M_RD) : REAL(read)(fd, bytes, length);
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	struct device *to = device_of(fd);
	return to ? move_bytes(to, (void *)bytes, length, 0) : REAL(write)(fd, bytes, length);
}

/* A bus has no position: the kernel looks at none either. */
ssize_t pread64(int fd, void *bytes, size_t length, off64_t at)
{
	struct device *to = device_of(fd);
	return to ? move_bytes(to, bytes, length, I2C_M_RD) : REAL(pread64)(fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at)
{
	struct device *to = device_of(fd);
	return to ? move_bytes(to, (void *)bytes, length, 0) : REAL(pwrite64)(fd, bytes, length, at);
}

int ioctl(int fd, unsigned long request, ...)
{
	struct device *to = device_of(fd);
	void *argument;
	va_list rest;
	va_start(rest, request);
	argument = va_arg(rest, void *);
	va_end(rest);
	if (!to) return REAL(ioctl)(fd, request, argument);
	if (_IOC_TYPE(request) == SPI_IOC_MAGIC && _IOC_NR(request) == 0) {
		return transfer_spi(to, argument, _IOC_SIZE(request) / sizeof(struct spi_ioc_transfer));
	}
	switch (request) {
	case I2C_SLAVE:
	case I2C_SLAVE_FORCE:
		if ((uintptr_t)argument > 0x7f) return fail(EINVAL);
		to->address = (uintptr_t)argument;
		return 0;
	case I2C_FUNCS:
		*(unsigned long *)argument = I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL;
		return 0;
	case I2C_RDWR: {
		struct i2c_rdwr_ioctl_data *all = argument;
		if (all->nmsgs > I2C_RDWR_IOCTL_MAX_MSGS) return fail(EINVAL);
		return transfer_i2c(to, all->msgs, all->nmsgs);
	}
	case I2C_SMBUS:
		return transfer_smbus(to, argument);
	case SPI_IOC_RD_MODE:
		*(uint8_t *)argument = to->mode;
		return 0;
	case SPI_IOC_WR_MODE:
		to->mode = *(uint8_t *)argument;
		return 0;
	case SPI_IOC_RD_BITS_PER_WORD:
		*(uint8_t *)argument = to->bits;
		return 0;
	case SPI_IOC_WR_BITS_PER_WORD:
		to->bits = *(uint8_t *)argument;
		return 0;
	case SPI_IOC_RD_MAX_SPEED_HZ:
		*(uint32_t *)argument = to->speed;
		return 0;
	case SPI_IOC_WR_MAX_SPEED_HZ:
		to->speed = *(uint32_t *)argument;
		return 0;
	default:
		return fail(ENOTTY);
	}
}

/* resolve NAME: asks the system's own stub, as every program does, and prints the addresses, or why there are none. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found, *a;
	char text[INET6_ADDRSTRLEN];
	int status = getaddrinfo(argc > 1 ? argv[1] : "", NULL, &hints, &found);

	if (status != 0) {
		printf("%s\n", status == EAI_NONAME ? "no such name" : gai_strerror(status));
		return 1;
	}
	for (a = found; a != NULL; a = a->ai_next) {
		void *address = a->ai_family == AF_INET ? (void *)&((struct sockaddr_in *)a->ai_addr)->sin_addr
		                                        : (void *)&((struct sockaddr_in6 *)a->ai_addr)->sin6_addr;
		printf("%s\n", inet_ntop(a->ai_family, address, text, sizeof text));
	}
	freeaddrinfo(found);
	return 0;
}

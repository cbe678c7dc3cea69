/*
 * tls_ticket: the keys of session tickets. A ticket is a session that the client keeps for us,
 * sealed with a key that only this front end has: with it the next handshake needs no signature.
 *
 *   hour:      0          1          2          3
 *   key A      makes      opens      gone
 *   key B                 makes      opens      gone
 *
 * Whoever gets a ticket key later could read what was sent in sessions that were resumed with it
 * (TLS 1.2; in 1.3 each resumed session has a Diffie-Hellman exchange of its own). So keys are
 * random, stay in this process, change each hour and are wiped after two. A new generation (HUP, or
 * a front end that died) begins with keys of its own: tickets of the old one cost their client one
 * full handshake, nothing else.
 */
#include "http/tls.h"

#include "common/clock.h"
#include "common/log.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

#define TICKET_KEY_S  3600
#define TICKET_KEY_NS (TICKET_KEY_S * NS_PER_S)

static void
make_key(struct ticket_key *key)
{
    if (RAND_bytes((unsigned char *)key, sizeof(*key)) != 1)
        fatalx("no random octets for the keys of session tickets");
}

/* A server that nobody asked for long may have missed an hour: then the old key is too old, too. */
static void
change_when_due(struct tickets *t)
{
    const uint64_t now = clock_ns();

    if (now < t->next_ns)
        return;
    t->before = t->now;
    make_key(&t->now);
    if (now >= t->next_ns + TICKET_KEY_NS)
        make_key(&t->before);
    t->next_ns = now + TICKET_KEY_NS;
}

static int
set_mac(EVP_MAC_CTX *mac, struct ticket_key *key)
{
    static char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->hmac, sizeof(key->hmac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_CTX_set_params(mac, params);
}

static int
seal(struct tickets *t, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
     EVP_MAC_CTX *mac)
{
    const EVP_CIPHER *aes = EVP_aes_256_cbc();

    memcpy(name, t->now.name, sizeof(t->now.name));
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) != 1 ||
        EVP_EncryptInit_ex2(cipher, aes, t->now.aes, iv, NULL) != 1 || set_mac(mac, &t->now) != 1)
        return -1;
    return 1;
}

/* OpenSSL's answers: -1 error, 0 not ours (a full handshake), 1 fine, 2 fine and give a new one. A
 * ticket of TLS 1.3 is for one use, so that its client can't be followed by it. */
static int
unseal(struct tickets *t, const SSL *ssl, const unsigned char *name, const unsigned char *iv,
       EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct ticket_key *key = &t->now;

    if (CRYPTO_memcmp(name, key->name, sizeof(key->name)) != 0)
        key = &t->before;
    if (CRYPTO_memcmp(name, key->name, sizeof(key->name)) != 0)
        return 0;
    if (set_mac(mac, key) != 1 ||
        EVP_DecryptInit_ex2(cipher, EVP_aes_256_cbc(), key->aes, iv, NULL) != 1)
        return -1;
    return key == &t->before || SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
}

static int
on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
          EVP_MAC_CTX *mac, int sealing)
{
    struct tickets *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    change_when_due(t);
    return sealing ? seal(t, name, iv, cipher, mac) : unseal(t, ssl, name, iv, cipher, mac);
}

void
tickets_open(struct tickets *t, SSL_CTX *context)
{
    make_key(&t->now);
    make_key(&t->before); /* opens nothing: no ticket was made with it */
    t->next_ns = clock_ns() + TICKET_KEY_NS;
    SSL_CTX_set_app_data(context, t);
    SSL_CTX_set_timeout(context, TICKET_KEY_S);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
}

void
tickets_close(struct tickets *t)
{
    OPENSSL_cleanse(t, sizeof(*t));
}

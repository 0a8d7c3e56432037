/*
 * Prints what the tables of commands, options and settings say, for the manual
 * (scdoc) and for the completions of shells: tables WHAT
 */
#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

#define COMMAND(name, function, least, most, synopsis, help)                   \
    {name, synopsis, help},
static const struct {
    const char *name, *synopsis, *help;
} commands[] = {
#include "supervisor/commands.def"
};

#define OPTION(id, name, value, help) {name, value, help},
static const struct option_row {
    const char *name, *value, *help;
} options[] = {
#include "supervisor/options.def"
};
#undef OPTION

/* Those of programs that read all their arguments themselves. */
#define OPTION(name, value, help) {name, value, help},
static const struct option_row upstream_options[] = {
#include "tests/upstream/options.def"
};
static const struct option_row provider_options[] = {
#include "tests/provider/options.def"
};
#undef OPTION

static const struct {
    const char *command;
    const struct option_row *options;
    size_t count;
} programs[] = {
    {"mock-upstream", upstream_options, COUNT(upstream_options)},
    {"mock-provider", provider_options, COUNT(provider_options)},
};

#define PROVIDER(id, ...) " " #id
static const char provider_words[] =
#include "common/rates/providers.def"
    ;

#define SETTING(name, kind, otherwise, lowest, highest, words, secret,         \
                readers, help)                                                 \
    {#name, #kind, otherwise, lowest, highest, words, secret, help},
static const struct setting_row {
    const char *name, *kind, *otherwise;
    double lowest, highest;
    const char *words;
    bool secret;
    const char *help;
} settings[] = {
#include "common/settings/settings.def"
};

/* Without line breaks, and with a backslash before each of `special`; a quote
 * among these ends the quotes around it for as long. */
static void print(const char *text, const char *special) {
    for (; *text != '\0'; text++) {
        if (isspace((unsigned char)*text)) {
            putchar(' ');
            text += strspn(text, " \n") - 1;
            continue;
        }
        if (strchr(special, *text) != NULL)
            fputs(*text == '\'' ? "'\\" : "\\", stdout);
        putchar(*text);
        if (*text == '\'' && strchr(special, *text) != NULL)
            putchar(*text);
    }
}

/* scdoc: a bold line, and a paragraph that is indented. */
static void print_term(const char *before, const char *term) {
    printf("*%s", before);
    print(term, "\\_*");
    printf("*");
}

static void manual_commands(void) {
    for (size_t i = 0; i < COUNT(commands); i++) {
        print_term("fxwire ", commands[i].synopsis);
        printf("\n\t");
        print(commands[i].help, "\\_*`");
        printf(".\n\n");
    }
}

static void manual_options(void) {
    for (size_t i = 0; i < COUNT(options); i++) {
        print_term("--", options[i].name);
        if (options[i].value != NULL)
            printf(" _%s_", options[i].value);
        printf("\n\t");
        print(options[i].help, "\\_*`");
        printf(".\n\n");
    }
}

static void manual_settings(void) {
    for (size_t i = 0; i < COUNT(settings); i++) {
        const struct setting_row *s = &settings[i];
        print_term("", s->name);
        printf("%s\n\t", s->secret ? " (secret)" : "");
        print(s->help, "\\_*`");
        printf(".");
        if (s->words != NULL) {
            printf(strcmp(s->kind, "WORDS") == 0 ? " Of: " : " One of: ");
            print(s->words, "\\_*`");
            printf(".");
        }
        if (s->highest > 0)
            printf(" From %.15g to %.15g%s.", s->lowest, s->highest,
                   strcmp(s->kind, "SECONDS") == 0 ? " seconds" : "");
        if (s->otherwise != NULL) {
            printf(" Default: ");
            print(s->otherwise, "\\_*`");
            printf(".");
        }
        printf("\n\n");
    }
}

/* The words of a setting, for an argument that takes the same ones. */
static const char *words_of(const char *name) {
    for (size_t i = 0; i < COUNT(settings); i++)
        if (strcmp(settings[i].name, name) == 0)
            return settings[i].words;
    abort();
}

/* Whether the synopsis has that word, whatever brackets are around it. */
static bool has_word(const char *synopsis, const char *word) {
    size_t len = strlen(word);
    for (const char *at = synopsis; (at = strstr(at, word)) != NULL; at += len)
        if ((at == synopsis || strchr(" [", at[-1]) != NULL) &&
            strchr(" ].", at[len]) != NULL)
            return true;
    return false;
}

static bool heeds(const char *synopsis, const struct option_row *option) {
    char word[64];
    snprintf(word, sizeof word, "--%s", option->name);
    return has_word(synopsis, word);
}

/* The next option of a command from that place on, which is set behind it;
 * NULL: there is no more. */
static const struct option_row *next_option(size_t command, size_t *at) {
    for (size_t i = 0; i < COUNT(programs); i++)
        if (strcmp(programs[i].command, commands[command].name) == 0)
            return *at < programs[i].count ? &programs[i].options[(*at)++]
                                           : NULL;
    while (*at < COUNT(options)) {
        const struct option_row *option = &options[(*at)++];
        if (heeds(commands[command].synopsis, option))
            return option;
    }
    return NULL;
}

static bool is_file(const struct option_row *option) {
    return option->value != NULL && strncmp(option->value, "FILE", 4) == 0;
}

/* What a command's arguments may be. */
static const char *arguments_of(const char *synopsis) {
    return has_word(synopsis, "HELPER") ? words_of("DEBUG_WAIT")
           : has_word(synopsis, "WORD") ? words_of("LOG_LEVEL")
           : has_word(synopsis, "FILE") ? "FILE"
                                        : "";
}

static bool is_word(size_t command) {
    return commands[command].name[0] != '-';
}

/* bash: `case` branches that set `options` and `arguments`. */
static void bash_commands(void) {
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (!is_word(i))
            continue;
        const struct option_row *option;
        printf("    %s) options=\"", commands[i].name);
        for (size_t k = 0; (option = next_option(i, &k)) != NULL;)
            printf(" --%s", option->name);
        printf("\" arguments=\"%s\" ;;\n", arguments_of(commands[i].synopsis));
    }
}

/* Of a table; each name once or more often, as a pattern may have it. */
static void bash_pattern(const struct option_row *rows, size_t count,
                         bool files) {
    for (size_t i = 0; i < count; i++)
        if (rows[i].value != NULL && is_file(&rows[i]) == files)
            printf("--%s | ", rows[i].name);
}

/* bash: `case` branches of what stands behind an option with a value. */
static void bash_values(void) {
    for (int files = 1; files >= 0; files--) {
        printf("    ");
        bash_pattern(options, COUNT(options), files);
        for (size_t i = 0; i < COUNT(programs); i++)
            bash_pattern(programs[i].options, programs[i].count, files);
        printf("--) %sreturn ;;\n", files ? "_filedir; " : "");
    }
}

static void bash_words(void) {
    printf("    commands=\"");
    for (size_t i = 0; i < COUNT(commands); i++)
        printf("%s%s", i > 0 ? " " : "", commands[i].name);
    printf(" --env-file\"\n");
}

static void zsh_commands(void) {
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (!is_word(i))
            continue;
        printf("    '%s:", commands[i].name);
        print(commands[i].help, ":'");
        printf("'\n");
    }
}

static void zsh_arguments(void) {
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (!is_word(i))
            continue;
        const char *arguments = arguments_of(commands[i].synopsis);
        const struct option_row *option;
        printf("    %s) _arguments", commands[i].name);
        for (size_t k = 0; (option = next_option(i, &k)) != NULL;) {
            printf(" '--%s[", option->name);
            print(option->help, ":[]'");
            printf("]%s'", is_file(option)         ? ":file:_files"
                           : option->value != NULL ? ":value:"
                                                   : "");
        }
        if (strcmp(arguments, "FILE") == 0)
            printf(" '*:file:_files'");
        else if (*arguments != '\0')
            printf(" '1:word:(%s)'", arguments);
        printf(" ;;\n");
    }
}

/* fish has no template: each line is of a table. */
static void fish(void) {
    puts("complete -c fxwire -f\n"
         "complete -c fxwire -l env-file -r -F -d 'settings come from a file'");
    for (size_t i = 0; i < COUNT(commands); i++) {
        const char *name = commands[i].name;
        if (is_word(i))
            printf("complete -c fxwire -n __fish_use_subcommand -a %s -d '",
                   name);
        else
            printf("complete -c fxwire -l %s -d '", name + 2);
        print(commands[i].help, "\\'");
        puts("'");
        const struct option_row *option;
        for (size_t k = 0;
             is_word(i) && (option = next_option(i, &k)) != NULL;) {
            printf("complete -c fxwire -n '__fish_seen_subcommand_from %s' "
                   "-l %s %s-d '",
                   name, option->name,
                   is_file(option)         ? "-r -F "
                   : option->value != NULL ? "-x "
                                           : "");
            print(option->help, "\\'");
            puts("'");
        }
        const char *arguments = arguments_of(commands[i].synopsis);
        if (is_word(i) && *arguments != '\0')
            printf("complete -c fxwire -n '__fish_seen_subcommand_from %s' "
                   "%s%s%s\n",
                   name, strcmp(arguments, "FILE") == 0 ? "-F" : "-a '",
                   strcmp(arguments, "FILE") == 0 ? "" : arguments,
                   strcmp(arguments, "FILE") == 0 ? "" : "'");
    }
}

int main(int argc, char *argv[]) {
    static const struct {
        const char *name;
        void (*print)(void);
    } kinds[] = {
        {"commands", manual_commands},
        {"options", manual_options},
        {"settings", manual_settings},
        {"bash-words", bash_words},
        {"bash-values", bash_values},
        {"bash-commands", bash_commands},
        {"zsh-commands", zsh_commands},
        {"zsh-arguments", zsh_arguments},
        {"fish", fish},
    };
    for (size_t i = 0; argc == 2 && i < COUNT(kinds); i++)
        if (strcmp(argv[1], kinds[i].name) == 0) {
            kinds[i].print();
            return ferror(stdout) ? EX_IOERR : EX_OK;
        }
    fputs("usage: tables WHAT\n", stderr);
    return EX_USAGE;
}

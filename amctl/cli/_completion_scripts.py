"""What a shell reads to complete `amctl`, and where it looks for that.

All three scripts ask the program itself: `amctl complete SHELL -- WORDS`. Its first line says what
follows: `words`, or what the shell lists by its own means (`files [GLOB...]`, `dirs`); each other
line is a word, a tab, and a help text. `./amctlw` is never run for that, for it may install things;
the program in the `.venv` beside it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SCRIPTS", "Installed", "homes", "install", "needs"]

_BASH = r"""# bash completion for amctl; made by: amctl completion bash
_amctl() {
    local program=${COMP_WORDS[0]/#\~/$HOME} line=${COMP_LINE:0:COMP_POINT}
    local current=${COMP_WORDS[COMP_CWORD]} reply kind word glob globs
    case $program in
        amctlw | */amctlw) [[ $program == */* ]] || program=./$program
            program=${program%amctlw}.venv/bin/amctl ;;
    esac
    COMPREPLY=()
    reply=$("$program" complete bash -- "$COMP_WORDBREAKS" "$line" 2>/dev/null) || return 0
    kind=${reply%%$'\n'*}
    [[ $current == [=:] ]] && current=
    case $kind in
        words)
            while IFS=$'\t' read -r word _; do
                [[ -n $word ]] && COMPREPLY+=("$word")
            done <<<"${reply#words}"
            [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=:,/] ]] && compopt -o nospace ;;
        dirs)
            compopt -o filenames -o dirnames ;;
        files)
            compopt -o filenames -o default ;;
        files\ *)
            compopt -o filenames
            IFS=' ' read -ra globs <<<"${kind#files }"
            while IFS= read -r word; do
                if [[ -d $word ]]; then
                    COMPREPLY+=("$word")
                else
                    for glob in "${globs[@]}"; do
                        [[ $word == $glob ]] && COMPREPLY+=("$word") && break
                    done
                fi
            done < <(compgen -f -- "${current/#\~\//$HOME/}") ;;
    esac
    return 0
} 2>/dev/null
complete -F _amctl amctl amctlw
"""

_ZSH = r"""#compdef amctl amctlw
# zsh completion for amctl; made by: amctl completion zsh
_amctl() {
    local program=${~words[1]} kind word
    local -a reply spaced glued lines
    case $program in
        amctlw|*/amctlw) [[ $program == */* ]] || program=./$program
            program=${program%amctlw}.venv/bin/amctl ;;
    esac
    local current=${(Q)PREFIX}
    lines=("${(@f)$($program complete zsh -- "${(@Q)words[2,CURRENT-1]}" "$current" 2>/dev/null)}")
    kind=$lines[1]
    case $kind in
        words)
            for word in "${(@)lines[2,-1]}"; do
                [[ -n $word ]] || continue
                local value=${word%%$'\t'*} text=${word#*$'\t'}
                value=${value//:/\\:}
                [[ -n $text ]] && value+=":$text"
                if [[ ${word%%$'\t'*} == *[=:,/] ]]; then
                    glued+=("$value")
                else
                    spaced+=("$value")
                fi
            done
            (( $#glued )) && _describe amctl glued -S ''
            (( $#spaced )) && _describe amctl spaced ;;
        dirs) compset -P '--[a-z-]#='; _files -/ ;;
        files) compset -P '--[a-z-]#='; _files ;;
        files\ *) compset -P '--[a-z-]#='; _files -g "(${(j:|:)${=kind#files }})" ;;
    esac
}
if [[ $funcstack[1] == _amctl ]]; then _amctl "$@"; else compdef _amctl amctl amctlw; fi
"""

_FISH = r"""# fish completion for amctl; made by: amctl completion fish
function __amctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
    if string match -qr '(^|/)amctlw$' -- $program
        string match -q '*/*' -- $program; or set program ./$program
        set program (string replace -r 'amctlw$' .venv/bin/amctl -- $program)
    end
    set -l lines ($program complete fish -- $words[2..-1] "$current" 2>/dev/null)
    set -l flag (string match -r '^--[a-z-]+=' -- $current)
    set -l path (string replace -r '^--[a-z-]+=' '' -- $current)
    switch "$lines[1]"
        case words
            string join \n -- $lines[2..-1]
        case dirs
            printf "$flag%s\n" (__fish_complete_directories "$path" '')
        case files 'files *'
            set -l globs (string split ' ' -- $lines[1])[2..-1]
            for found in (__fish_complete_path "$path" '')
                set -l name (string split \t -- $found)[1]
                set -l fits (test -z "$globs"; and echo yes)
                string match -q '*/' -- $name; and set fits yes
                for glob in $globs
                    string match -q -- $glob $name; and set fits yes
                end
                test -n "$fits"; and printf "$flag%s\n" $name
            end
    end
end
complete -c amctl -f -a '(__amctl_complete)'
complete -c amctlw -f -a '(__amctl_complete)'
"""

SCRIPTS: Mapping[str, str] = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
"""Shell -> its script."""

_LOADERS = (
    "/usr/share/bash-completion/bash_completion",
    "/usr/local/share/bash-completion/bash_completion",
    "/opt/homebrew/etc/profile.d/bash_completion.sh",
    "/usr/local/etc/profile.d/bash_completion.sh",
)
"""Where the loader stands that reads files of completions in bash."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What came of an installation."""

    files: tuple[Path, ...]
    hint: str
    """What a person has still to do; empty if nothing."""


def homes(shell: str, environ: Mapping[str, str]) -> dict[Path, str]:
    """The files that a shell looks at by itself, and what they are to hold.

    Raises:
        KeyError: The environment names no home.
    """
    home = _home(environ)
    script = SCRIPTS[shell]
    if shell == "zsh":
        return {Path(environ.get("ZDOTDIR") or home) / ".zfunc" / "_amctl": script}
    if shell == "fish":
        base = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "fish" / "completions"
        return {base / "amctl.fish": script, base / "amctlw.fish": script}
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    own = environ.get("BASH_COMPLETION_USER_DIR")
    base = Path(own or data / "bash-completion") / "completions"
    return {base / "amctl": script, base / "amctlw": script}


def install(shell: str, environ: Mapping[str, str]) -> Installed:
    """Write the script where that shell looks. Raises OSError."""
    files = homes(shell, environ)
    for path, script in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script, encoding="utf-8")
    return Installed(tuple(files), needs(shell, environ, next(iter(files))))


def needs(shell: str, environ: Mapping[str, str], path: Path) -> str:
    """The line that a shell's own file lacks to find the script at `path`; empty if none is."""
    home = _home(environ)
    if shell == "bash":
        if any(Path(one).exists() for one in _LOADERS) or _mentions(home / ".bashrc", str(path)):
            return ""
        return f"add to ~/.bashrc: source '{path}'"
    if shell == "zsh":
        rc = Path(environ.get("ZDOTDIR") or home) / ".zshrc"
        if _mentions(rc, ".zfunc"):
            return ""
        return f"add to {rc}: fpath+=('{path.parent}'); autoload -Uz compinit; compinit"
    return ""


def _home(environ: Mapping[str, str]) -> Path:
    if not environ.get("HOME"):
        raise KeyError("HOME")
    return Path(environ["HOME"])


def _mentions(path: Path, text: str) -> bool:
    try:
        return text in path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False

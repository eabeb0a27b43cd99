import typer

app = typer.Typer()


@app.command()
def start(ctx: typer.Context, stay: bool = False) -> None:
    print("start", ctx.find_root().obj, stay)

import typer

app = typer.Typer()


@app.command()
def build(ctx: typer.Context, stay: bool = False) -> None:
    print("build", ctx.find_root().obj, stay)

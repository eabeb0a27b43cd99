"""Why a state is as it is, followed over pipes and connections to whom is to blame."""

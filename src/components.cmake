# Everything this daemon can receive, process and export. One line each, sorted.

weir_component(extension basicauth DEPS crypt)
weir_component(extension bearertokenauth)
weir_component(extension file_storage)
weir_component(extension headers_setter)
weir_component(extension health_check)
weir_component(extension pprof)
weir_component(extension zpages)
weir_component(processor attributes)
weir_component(processor batch)
weir_component(processor memory_limiter)
weir_component(processor probabilistic_sampler)
weir_component(processor resource)

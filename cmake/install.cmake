# What `scripts/dist` takes from a build: the programs and the speech libraries that are not Debian's, which they find
# beside themselves wherever the folder is put.
set_target_properties(aicall aicall-worker PROPERTIES INSTALL_RPATH "\$ORIGIN/../lib")
install(TARGETS aicall aicall-worker RUNTIME DESTINATION bin)
install(DIRECTORY ${YYC3_ENGINES_DIR}/lib/ DESTINATION lib
        FILES_MATCHING PATTERN "libwhisper.so*" PATTERN "libggml*.so*" PATTERN "libonnxruntime.so*"
        PATTERN "libsherpa-onnx-c-api.so")
install(DIRECTORY ${YYC3_ENGINES_DIR}/licences/ DESTINATION licences)
if(TARGET aicall-language)
  set_target_properties(aicall-language PROPERTIES INSTALL_RPATH "\$ORIGIN/../lib/language")
  install(TARGETS aicall-language RUNTIME DESTINATION bin)
  install(DIRECTORY ${YYC3_LANGUAGE_DIR}/lib/ DESTINATION lib/language
          FILES_MATCHING PATTERN "libllama.so*" PATTERN "libggml*.so*")
  install(DIRECTORY ${YYC3_LANGUAGE_DIR}/licences/ DESTINATION licences)
endif()

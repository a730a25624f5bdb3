# frozen_string_literal: true

# An app that has neither ApplicationCable::Connection nor any channel.
Rails.autoloaders.main.ignore(root.join("app/channels"))

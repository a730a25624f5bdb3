# frozen_string_literal: true

class BlockedIp < ApplicationRecord
end
